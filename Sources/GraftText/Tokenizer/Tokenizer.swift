/// Turns texts into the ids of tokens, and back.
///
/// A tokenizer is a pipeline of values, each read from Hugging Face's `tokenizer.json`: a normalizer, a pre-tokenizer, a model, a
/// post-processor and a decoder. Ids and offsets are those of the `tokenizers` package.
///
/// ```swift
/// let tokenizer = try Tokenizer(contentsOf: "minilm/tokenizer.json")
/// let encoding = try tokenizer.encode("My card has not arrived.")
/// print(encoding.ids, tokenizer.decode(encoding.ids))
/// ```
///
/// Texts are worked on as UTF-8 and never as `String`, whose comparison takes texts for equal that differ in their characters.
public struct Tokenizer: Sendable {
    let normalizer: Normalizer?
    let preTokenizer: PreTokenizer?
    let model: TokenModel
    let postProcessor: PostProcessor
    let decoder: TokenDecoder?
    let vocabulary: Vocabulary
    private let added: AddedVocabulary
    /// Where a text that is too long is cut off; `nil` for nowhere.
    public var truncation: Truncation?
    /// What fills up texts that are too short; `nil` for nothing.
    public var padding: Padding?
    /// All of it as `tokenizer.json` has it, in UTF-8: what a saved model carries.
    public let json: [UInt8]

    /// Reads what `tokenizer.json` holds.
    ///
    /// - Throws: `GraftError` with code `format` for what is no tokenizer, or one with parts that are not known here.
    public init(json bytes: [UInt8]) throws(GraftError) {
        try self.init(try OrderedJSONReader.read(bytes), json: bytes)
    }

    init(_ json: OrderedJSON, json bytes: [UInt8]) throws(GraftError) {
        func part(_ name: String) -> OrderedJSON? { json[name].flatMap { $0.isNull ? nil : $0 } }
        normalizer = try part("normalizer").map { (part) throws(GraftError) in try Normalizer(part) }
        preTokenizer = try part("pre_tokenizer").map { (part) throws(GraftError) in try PreTokenizer(part) }
        guard let stored = part("model"), stored.members != nil else {
            throw GraftError(.format, "it has no member \"model\", as a tokenizer.json has")
        }
        (model, vocabulary) = try TokenModel.read(stored, isByteLevel: preTokenizer?.isByteLevel ?? false)
        postProcessor =
            try part("post_processor").map { (part) throws(GraftError) in try PostProcessor(part) } ?? PostProcessor()
        decoder = try part("decoder").map { (part) throws(GraftError) in try TokenDecoder(part) }
        if let extent = normalizer?.extent {
            try PartLimits.check("normalizer", parts: extent.parts, growth: extent.growth)
        }
        try PartLimits.check("pre-tokenizer", parts: preTokenizer?.partCount ?? 0, growth: 1)
        if let extent = decoder?.extent {
            try PartLimits.check("decoder", parts: extent.parts, growth: extent.growth)
        }
        added = try AddedVocabulary(
            try json.optional("added_tokens", "a list", \.elements) ?? [], vocabulary, normalizer)
        truncation = try part("truncation").map { (part) throws(GraftError) in try Truncation(part) }
        padding = try part("padding").map { (part) throws(GraftError) in try Padding(part) }
        self.json = bytes
    }

    // MARK: Tokens

    /// One more than the largest id that a token has.
    public var vocabularySize: Int { max(vocabulary.endID, added.endID) }

    /// The token of an id; `nil` for none.
    public func token(of id: Int) -> String? { bytes(of: id).map { String(decoding: $0, as: UTF8.self) } }

    /// The id of a token; `nil` where there is none.
    public func id(of token: String) -> Int? {
        let bytes = Array(token.utf8)
        return (added.id(of: bytes) ?? vocabulary.id(of: bytes)).map { Int($0) }
    }

    func bytes(of id: Int) -> [UInt8]? { added[id]?.content ?? vocabulary[id] }

    // MARK: Texts to tokens

    /// The tokens of a text, or of a pair of texts.
    ///
    /// - Parameters:
    ///   - text: any text.
    ///   - pair: the second one, for models that compare two.
    ///   - addsSpecialTokens: whether tokens such as `[CLS]` are put around it.
    /// - Throws: `GraftError` with code `data` for a character that the model has no token for, and none for what is unknown;
    ///   `argument` where the special tokens alone are longer than ``truncation`` allows.
    public func encode(
        _ text: String, pair: String? = nil, addsSpecialTokens: Bool = true
    ) throws(GraftError) -> TokenEncoding {
        try encode(text, pair, addsSpecialTokens, tracksOffsets: true, TokenScratch())
    }

    /// The tokens of several texts; with ``Padding/Length/longest`` they are filled up to the longest of them.
    ///
    /// - Throws: `GraftError` as ``encode(_:pair:addsSpecialTokens:)``.
    public func encode(_ texts: [String], addsSpecialTokens: Bool = true) throws(GraftError) -> [TokenEncoding] {
        let scratch = TokenScratch()
        var encodings: [TokenEncoding] = []
        encodings.reserveCapacity(texts.count)
        for text in texts {
            encodings.append(try encode(text, nil, addsSpecialTokens, tracksOffsets: true, scratch))
        }
        if let padding, padding.length == .longest {
            let length = padding.rounded(encodings.map(\.count).max() ?? 0)
            for place in encodings.indices { encodings[place].pad(to: length, padding) }
        }
        return encodings
    }

    /// The ids of texts' tokens alone, cut off and filled up as ``encode(_:addsSpecialTokens:)`` does it, at less cost.
    ///
    /// - Throws: `GraftError` as ``encode(_:pair:addsSpecialTokens:)``.
    public func ids(of texts: [String]) throws(GraftError) -> [[Int32]] {
        let scratch = TokenScratch()
        var ids: [[Int32]] = []
        ids.reserveCapacity(texts.count)
        for text in texts { ids.append(try self.ids(of: text, scratch)) }
        if let padding, padding.length == .longest {
            let length = padding.rounded(ids.map(\.count).max() ?? 0)
            for place in ids.indices where ids[place].count < length {
                let missing = repeatElement(padding.id, count: length - ids[place].count)
                ids[place].insert(contentsOf: missing, at: padding.isLeft ? 0 : ids[place].count)
            }
        }
        return ids
    }

    func ids(of text: String, _ scratch: TokenScratch) throws(GraftError) -> [Int32] {
        try encode(text, nil, true, tracksOffsets: false, scratch).ids
    }

    func encode(
        _ text: String, _ pair: String?, _ addsSpecialTokens: Bool, tracksOffsets: Bool, _ scratch: TokenScratch
    ) throws(GraftError) -> TokenEncoding {
        var first = try sequence(text, tracksOffsets: tracksOffsets, scratch)
        var second = try pair.map { (text) throws(GraftError) in
            try sequence(text, tracksOffsets: tracksOffsets, scratch)
        }
        if let truncation {
            let special = addsSpecialTokens ? postProcessor.specialCount(isPair: pair != nil) : 0
            try truncation.apply(&first, &second, specialCount: special)
        }
        var encoding = postProcessor.process(first, second, addsSpecialTokens: addsSpecialTokens)
        if let padding { encoding.pad(to: padding.rounded(padding.length.fixed ?? encoding.count), padding) }
        return encoding
    }

    /// The tokens of one text.
    private func sequence(
        _ text: String, tracksOffsets: Bool, _ scratch: TokenScratch
    ) throws(GraftError) -> TokenSequence {
        var text = text
        let result = text.withUTF8 { bytes in
            Result { () throws(GraftError) in
                var encoder = TextEncoder(self, added, bytes, scratch, tracksOffsets: tracksOffsets)
                return try encoder.run()
            }
        }
        return try result.get()
    }

    // MARK: Tokens to text

    /// The text of tokens.
    ///
    /// - Parameters:
    ///   - ids: the tokens; ids of none are passed over.
    ///   - skipsSpecialTokens: whether tokens such as `[CLS]` are left out.
    public func decode(_ ids: some Sequence<Int32>, skipsSpecialTokens: Bool = true) -> String {
        let tokens = ids.compactMap { id -> [UInt8]? in
            if skipsSpecialTokens, added[Int(id)]?.isSpecial == true { return nil }
            return bytes(of: Int(id))
        }
        let parts = decoder?.decode(tokens) ?? [Array(tokens.joined(separator: [UInt8(ascii: " ")]))]
        return String(decoding: parts.joined(), as: UTF8.self)
    }
}

/// The tokens that were added to a model's own.
struct AddedVocabulary: Sendable {
    /// Those that are looked for in the text as it is.
    private(set) var raw = AddedTokenFinder()
    /// Those that are looked for in the normalized text.
    private(set) var normalized = AddedTokenFinder()
    private var ids = ByteTable()
    private var tokens: [Int32: AddedToken] = [:]

    /// The most tokens that may be added: many times what tokenizers have.
    private static let maximumCount = 1 << 17

    init(_ stored: [OrderedJSON], _ vocabulary: Vocabulary, _ normalizer: Normalizer?) throws(GraftError) {
        guard stored.count <= Self.maximumCount else {
            throw GraftError(.format, "it has \(stored.count) added tokens; at most \(Self.maximumCount)")
        }
        var (all, byteCount): ([AddedToken], Int) = ([], 0)
        for json in stored {
            let token = try AddedToken(json)
            guard !token.content.isEmpty else { continue }
            byteCount += token.content.count
            guard token.content.count <= PartLimits.tokenBytes, byteCount <= PartLimits.vocabularyBytes else {
                throw GraftError(
                    .format,
                    "added tokens have at most \(PartLimits.tokenBytes) bytes each and \(PartLimits.vocabularyBytes) together"
                )
            }
            if let known = vocabulary.id(of: token.content), known != token.id {
                throw GraftError(
                    .format,
                    "the added token \"\(token.content.prefix(40).printable)\" has the id \(token.id), and \(known) in the vocabulary"
                )
            }
            ids.set(token.content, to: token.id)
            tokens[token.id] = token
            all.append(token)
        }
        // Special tokens come first, as in the package: of equal ones the first counts.
        for token in all.filter(\.isSpecial) + all.filter({ !$0.isSpecial }) {
            guard token.isNormalized, let normalizer else {
                if token.isNormalized {
                    normalized.insert(token, as: token.content)
                } else {
                    raw.insert(token, as: token.content)
                }
                continue
            }
            var text = token.content.withUnsafeBufferPointer { ScalarText($0, origin: 0, isTracked: false) }
            normalizer.normalize(&text)
            normalized.insert(token, as: text.aligned.bytes)
        }
    }

    subscript(_ id: Int) -> AddedToken? { Int32(exactly: id).flatMap { tokens[$0] } }

    func id(of token: [UInt8]) -> Int32? { ids.value(token) }

    var endID: Int { Int(tokens.keys.max() ?? -1) + 1 }
}
