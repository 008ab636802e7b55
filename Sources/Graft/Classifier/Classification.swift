/// What a classifier says of one image.
public struct Classification: Sendable, Hashable {
    /// A class with its probability, or with its score where the model gives none.
    public struct Class: Sendable, Hashable {
        /// What it is called.
        public let name: String
        /// The probability, 0 to 1, or the score.
        public let value: Double
    }

    /// The image: its path, or what it was called.
    public let name: String
    /// The classes, the likeliest first; empty where the outputs stand for no classes (see ``ClassifierOutputs/Meaning``).
    public let classes: [Class]
    /// The model's outputs as they are, but for an activation that makes probabilities of them.
    public let outputs: [Double]
    /// How sure the answer is; `nil` for a model that does not know (``Classifier/calibration``).
    public var assessment: Assessment?
    /// The classes of the set that was asked for; see ``ConformalSets``.
    public var set: [String]?

    /// The labels that an image of several has: those more likely than not.
    public var likely: [Class] { classes.filter { $0.value >= 0.5 } }

    /// The likeliest class; `nil` where the outputs stand for no classes.
    public var best: Class? { classes.first }

    /// The probability or score of a class; `nil` where there is none of that name.
    public subscript(className: String) -> Double? { classes.first { $0.name == className }?.value }
}
