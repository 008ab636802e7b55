import Graft

/// A base of texts that was named on the command line: an encoder, its weights and its tokenizer.
struct TextBase {
    /// The names of encoders that Graft reads; which sizes one has is said by its configuration.
    static let names = ["bert", "distilbert", "minilm", "roberta"]

    /// Whether a name is that of an encoder of texts.
    static func isNamed(_ name: String?) -> Bool { name.map { names.contains($0.lowercased()) } ?? false }

    private let name: String
    private let weights: String
    private let arguments: TextBaseArguments

    /// - Throws: `GraftError` where no weights are given: none are part of Graft.
    init(name: String?, weights: Weights?, _ arguments: TextBaseArguments) throws(GraftError) {
        if let name, !Self.isNamed(name) {
            throw GraftError(
                .argument,
                "--base: \(name) takes no texts; the encoders that Graft reads are \(Self.names.joined(separator: ", "))"
            )
        }
        guard case .file(let path)? = weights else {
            throw GraftError(
                .argument,
                "texts need an encoder with its weights, and none is part of Graft; give them, such as --base minilm --weights "
                    + "model.safetensors, with config.json and tokenizer.json or vocab.txt beside it")
        }
        (self.name, self.weights, self.arguments) = (name?.lowercased() ?? "bert", path, arguments)
    }

    /// The encoder and its tokenizer.
    ///
    /// - Throws: `GraftError` where a file is missing or of another network.
    func recipe() throws(GraftError) -> TextRecipe {
        var base = try BERT(weights: weights)
        let kind = base.configuration.kind.rawValue
        guard kind == (name == "minilm" ? "bert" : name) else {
            throw GraftError(
                .argument, "--base: the configuration beside \(weights) is of a \(kind), and \(name) was asked for")
        }
        if let pooling = arguments.pooling { base.pooling = pooling }
        var recipe = TextRecipe(base, tokenizer: try tokenizer())
        recipe.maximumLength = arguments.maximumLength
        return recipe
    }

    private func tokenizer() throws(GraftError) -> Tokenizer {
        if let path = arguments.tokenizer {
            do throws(GraftError) {
                return try Tokenizer(contentsOf: path)
            } catch {
                throw GraftError(error.code, "--tokenizer: \(error.message)", cause: error.cause)
            }
        }
        let folder = weights.lastIndex(of: "/").map { String(weights[..<$0]) } ?? "."
        do throws(GraftError) {
            return try Tokenizer(contentsOf: folder.isEmpty ? "/" : folder)
        } catch {
            throw GraftError(
                error.code,
                "the tokenizer that is looked for beside \(weights): \(error.message); --tokenizer names another place")
        }
    }
}
