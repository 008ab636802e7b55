import GraftData
import GraftModel

extension ModelMetadata {
    /// What is known of a model.
    public init(
        classNames: [String]? = nil, inputRule: InputRule?, outputActivation: OutputActivation? = nil
    ) {
        self.init(classNames: classNames, outputActivation: outputActivation)
        setInputRule(inputRule)
    }

    /// How bytes become the model's input; `nil` if unknown.
    ///
    /// - Throws: `GraftError` with code `format` where the model's file has a rule of a kind that this Graft does not know,
    ///   or one that is not whole.
    public var inputRule: InputRule? {
        get throws(GraftError) {
            guard let stored = storedInputRule else { return nil }
            return try InputRule(stored)
        }
    }

    /// Has a saved model carry this rule.
    public mutating func setInputRule(_ rule: InputRule?) { storedInputRule = rule?.configuration }
}
