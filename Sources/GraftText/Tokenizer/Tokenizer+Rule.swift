extension Tokenizer {
    /// The tokenizer that a saved model carries.
    ///
    /// - Throws: `GraftError` with code `format` where the rule has none, or another one than it says.
    public init(_ rule: TokenRule) throws(GraftError) {
        guard let stored = rule.tokenizer else {
            throw GraftError(
                .format,
                "the model's rule for texts has no tokenizer; it was made where somebody else makes ids of texts")
        }
        try self.init(json: Array(stored.utf8))
        guard fingerprint == rule.vocabulary else {
            throw GraftError(.format, "the model's tokenizer is not the one that its rule names; save the model again")
        }
        (truncation, padding) = (try Truncation(maximumLength: rule.maximumLength), nil)
    }

    /// The rule that makes ids of texts with this tokenizer; it carries the tokenizer.
    ///
    /// - Parameter maximumLength: the most tokens of a text; what is longer is cut off.
    /// - Throws: `GraftError` with code `argument` for a length below 1.
    public func rule(maximumLength: Int) throws(GraftError) -> TokenRule {
        try TokenRule(
            maximumLength: maximumLength, paddingID: paddingID, vocabulary: fingerprint,
            tokenizer: String(decoding: json, as: UTF8.self))
    }

    /// The id of the token that fills up: as ``padding`` says, or that of a usual name.
    public var paddingID: Int {
        if let padding { return Int(padding.id) }
        return ["[PAD]", "<pad>", "<|endoftext|>"].lazy.compactMap { id(of: $0) }.first ?? 0
    }
}
