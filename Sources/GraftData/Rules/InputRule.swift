import GraftGraph

/// How bytes become the input of a model; one case for each kind of input. A saved model carries its rule, so that a
/// prediction cannot use another one.
///
/// As JSON, a rule is an object with one member: its name is the kind, its value the rule of that kind.
///
/// ```json
/// {"image": {"channels": 3, "height": 150, "resize": "keras", "width": 150}}
/// {"tokens": {"maximum_length": 128, "padding_id": 0, "vocabulary": "bert-base-uncased"}}
/// ```
public enum InputRule: Hashable, Sendable {
    /// Files of images.
    case image(ImageRule)
    /// Texts, as the ids of their tokens.
    case tokens(TokenRule)

    /// The shape of an example's input, without the batch axis.
    public var shape: Shape {
        switch self {
        case .image(let rule): rule.shape
        case .tokens(let rule): rule.shape
        }
    }
}

// MARK: As a file has it

extension InputRule {
    /// The rule that a saved model has.
    ///
    /// - Throws: `GraftError` with code `format` for a kind of input that is not known here, and for a rule that is not whole.
    package init(_ configuration: Configuration) throws(GraftError) {
        guard let members = configuration.members, let (kind, content) = members.first, members.count == 1 else {
            throw GraftError(.format, "an input rule must be an object with one member, is \(configuration.brief)")
        }
        switch kind {
        case "image": self = .image(try ImageRule(content))
        case "tokens": self = .tokens(try TokenRule(content))
        default:
            throw GraftError(
                .format,
                "the model's inputs are of the kind \(kind.prefix(60)); this Graft knows image and tokens; use a newer one"
            )
        }
    }

    /// As a file has it.
    package var configuration: Configuration {
        switch self {
        case .image(let rule): ["image": rule.configuration]
        case .tokens(let rule): ["tokens": rule.configuration]
        }
    }
}

extension InputRule: Codable {
    /// Reads what `encode` wrote.
    public init(from decoder: any Decoder) throws { try self.init(Configuration(from: decoder)) }

    /// Writes an object with one member.
    public func encode(to encoder: any Encoder) throws { try configuration.encode(to: encoder) }
}

extension ImageRule {
    fileprivate init(_ configuration: Configuration) throws(GraftError) {
        func size(_ key: String) throws(GraftError) -> Int {
            try configuration.member(key, "a whole number", of: "an image rule", \.integer)
        }
        self.init(
            height: try size("height"), width: try size("width"), channels: try size("channels"),
            resize: try configuration.member(
                "resize", "one of \(ResizeMethod.allCases.map(\.rawValue).joined(separator: ", "))", of: "an image rule"
            ) { $0.text.flatMap(ResizeMethod.init) },
            // Files of before have none.
            fit: configuration["fit"] == nil
                ? .stretch
                : try configuration.member(
                    "fit", "one of \(ImageFit.allCases.map(\.rawValue).joined(separator: ", "))", of: "an image rule"
                ) { $0.text.flatMap(ImageFit.init) },
            window: configuration["window"] == nil
                ? nil
                : try configuration.member(
                    "window", "a text such as \"40:400\", center and width", of: "an image rule"
                ) { $0.text.flatMap { IntensityWindow($0) } },
            isGrey: configuration["grey"] == nil
                ? false : try configuration.member("grey", "true or false", of: "an image rule", \.flag))
    }

    /// What is usual is left out, so that an older Graft reads such a model.
    fileprivate var configuration: Configuration {
        var members: [String: Configuration] = [
            "height": .int(height), "width": .int(width), "channels": .int(channels),
            "resize": .string(resize.rawValue),
        ]
        if fit != .stretch { members["fit"] = .string(fit.rawValue) }
        if let window { members["window"] = .string(window.description) }
        if isGrey { members["grey"] = true }
        return .object(members)
    }
}

extension TokenRule {
    fileprivate init(_ configuration: Configuration) throws(GraftError) {
        let length = try configuration.member("maximum_length", "a whole number", of: "a token rule", \.integer)
        let padding = try configuration.member("padding_id", "a whole number", of: "a token rule", \.integer)
        let vocabulary = try configuration.member("vocabulary", "a text", of: "a token rule", \.text)
        let tokenizer =
            configuration["tokenizer"] == nil
            ? nil : try configuration.member("tokenizer", "a text", of: "a token rule", \.text)
        do {
            try self.init(maximumLength: length, paddingID: padding, vocabulary: vocabulary, tokenizer: tokenizer)
        } catch {
            throw GraftError(.format, error.message)
        }
    }

    fileprivate var configuration: Configuration {
        var members: [String: Configuration] = [
            "maximum_length": .int(maximumLength), "padding_id": .int(paddingID), "vocabulary": .string(vocabulary),
        ]
        if let tokenizer { members["tokenizer"] = .string(tokenizer) }
        return .object(members)
    }
}

extension Configuration {
    /// A member that must be there.
    fileprivate func member<Value>(
        _ key: String, _ expected: String, of owner: String, _ read: (Configuration) -> Value?
    ) throws(GraftError) -> Value {
        guard let member = self[key] else { throw GraftError(.format, "\(owner) needs a member \(key)") }
        guard let value = read(member) else {
            throw GraftError(.format, "\(key) of \(owner) must be \(expected), is \(member.brief)")
        }
        return value
    }
}
