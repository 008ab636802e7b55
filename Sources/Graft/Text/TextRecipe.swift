import GraftApplications
import GraftModel
import GraftText
import GraftTraining

/// How a classifier of texts is trained: the base, its tokenizer, and what is learned on top.
///
/// ```swift
/// let recipe = TextRecipe(try BERT(weights: "minilm/model.safetensors"), tokenizer: try Tokenizer(contentsOf: "minilm"))
/// let training = TextClassifierTraining(on: try LabelledTexts(at: "questions.csv"), recipe)
/// try training.run().save("intents.keras")
/// ```
///
/// The base is frozen: it runs once over the texts, and its features are kept. What is learned is a linear layer on them, with a
/// penalty that training texts which it did not learn from decide about.
public struct TextRecipe: Sendable {
    /// The encoder.
    public var base: BERT
    /// What makes ids of texts; the one that the base was trained with.
    public var tokenizer: Tokenizer
    /// The layer at which the base is cut; the last one by default.
    public var cut: String
    /// The most tokens of a text; where `nil`, what holds all training texts, at least 128 and at most 512, as far as the base
    /// goes.
    public var maximumLength: Int?
    /// The factor of the squares of the output layer's weights, times the number of texts; found by texts held out where `nil`.
    public var penalty: Double?
    /// How some of the base trains on after the head; not at all where `nil`.
    public var fineTuning: FineTuning?
    /// What random numbers follow from.
    public var seed: UInt64 = 0

    /// A linear layer on the frozen base.
    public init(_ base: BERT, tokenizer: Tokenizer) {
        (self.base, self.tokenizer, cut) = (base, tokenizer, base.defaultCut)
    }

    /// Short texts cost no more for it: they run at a shorter length.
    private static let usualLength = 128
    private static let longestUsualLength = 512

    /// How texts become ids, with the length that the recipe or the training texts ask for.
    ///
    /// - Throws: `GraftError` with code `argument` for a length that the base does not take, and for a tokenizer with ids that it
    ///   has no vectors for.
    func rule(for texts: [String]) throws(GraftError) -> TokenRule {
        let limit = base.configuration.maximumLength
        guard tokenizer.vocabularySize <= base.configuration.vocabularySize else {
            throw GraftError(
                .argument,
                "the tokenizer has ids up to \(tokenizer.vocabularySize - 1) and the base \(base.configuration.vocabularySize) "
                    + "vectors; take the tokenizer that the base was trained with")
        }
        if let maximumLength {
            guard (4...limit).contains(maximumLength) else {
                throw GraftError(
                    .argument, "maximumLength: \(maximumLength) tokens; this base takes 4 to \(limit)")
            }
            return try tokenizer.rule(maximumLength: maximumLength)
        }
        let most = min(limit, Self.longestUsualLength)
        let longest =
            try TokenizedTexts(texts, tokenizer.rule(maximumLength: most), tokenizer).ids.map(\.count).max() ?? 0
        let lengths = try tokenizer.rule(maximumLength: most).paddedLengths
        let wanted = lengths.first { $0 >= max(longest, Self.usualLength) } ?? most
        return try tokenizer.rule(maximumLength: min(wanted, most))
    }

    /// The frozen base for texts of a length, up to the features that the head reads.
    func network(length: Int) throws(GraftError) -> (network: Model, features: SymbolicTensor) {
        var base = base
        base.length = length
        let network = try base.model(seed: seed)
        network.freeze()
        return (network, try base.features(at: cut, of: network))
    }
}
