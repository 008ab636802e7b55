/// How a variable's first value is made: Keras's initializers under Keras's names.
///
/// `.glorotUniform` draws from the model's seed and the variable's place in the model; `.glorotUniform(seed: 7)` draws
/// the same numbers wherever it is. Fans follow Keras: a kernel HWIO has `fanIn = height · width · I` and
/// `fanOut = height · width · O`. Random numbers are Graft's own, so that they differ from Keras's for the same seed.
///
/// Source: keras/src/initializers/random_initializers.py, constant_initializers.py.
public struct Initializer: Hashable, Sendable {
    /// What is drawn.
    package enum Kind: Hashable, Sendable {
        case zeros
        case ones
        case constant(Double)
        case randomNormal(mean: Double, standardDeviation: Double)
        case randomUniform(minimum: Double, maximum: Double)
        case truncatedNormal(mean: Double, standardDeviation: Double)
        case varianceScaling(VarianceScaling, className: String)
        case orthogonal(gain: Double)
    }

    package let kind: Kind
    /// The seed that the initializer was given, `nil` where the model's decides.
    public let seed: Int?

    package init(_ kind: Kind, seed: Int? = nil) { (self.kind, self.seed) = (kind, seed) }

    /// All zeros.
    public static let zeros = Initializer(.zeros)
    /// All ones.
    public static let ones = Initializer(.ones)
    /// The same number everywhere.
    public static func constant(_ value: Double) -> Initializer { Initializer(.constant(value)) }

    /// Uniform in ±√(6 / (fanIn + fanOut)).
    public static let glorotUniform = glorotUniform(seed: nil)
    /// Normal with variance 2 / (fanIn + fanOut), cut at two standard deviations.
    public static let glorotNormal = glorotNormal(seed: nil)
    /// Uniform in ±√(6 / fanIn).
    public static let heUniform = heUniform(seed: nil)
    /// Normal with variance 2 / fanIn, cut at two standard deviations.
    public static let heNormal = heNormal(seed: nil)
    /// Uniform in ±√(3 / fanIn).
    public static let lecunUniform = lecunUniform(seed: nil)
    /// Normal with variance 1 / fanIn, cut at two standard deviations.
    public static let lecunNormal = lecunNormal(seed: nil)

    /// Uniform in ±√(6 / (fanIn + fanOut)), with a seed of its own.
    public static func glorotUniform(seed: Int?) -> Initializer {
        scaling(1, .fanAverage, .uniform, "GlorotUniform", seed)
    }
    /// Normal with variance 2 / (fanIn + fanOut), cut at two standard deviations, with a seed of its own.
    public static func glorotNormal(seed: Int?) -> Initializer {
        scaling(1, .fanAverage, .truncatedNormal, "GlorotNormal", seed)
    }
    /// Uniform in ±√(6 / fanIn), with a seed of its own.
    public static func heUniform(seed: Int?) -> Initializer { scaling(2, .fanIn, .uniform, "HeUniform", seed) }
    /// Normal with variance 2 / fanIn, cut at two standard deviations, with a seed of its own.
    public static func heNormal(seed: Int?) -> Initializer { scaling(2, .fanIn, .truncatedNormal, "HeNormal", seed) }
    /// Uniform in ±√(3 / fanIn), with a seed of its own.
    public static func lecunUniform(seed: Int?) -> Initializer { scaling(1, .fanIn, .uniform, "LecunUniform", seed) }
    /// Normal with variance 1 / fanIn, cut at two standard deviations, with a seed of its own.
    public static func lecunNormal(seed: Int?) -> Initializer {
        scaling(1, .fanIn, .truncatedNormal, "LecunNormal", seed)
    }

    /// Normal.
    public static func randomNormal(
        mean: Double = 0, standardDeviation: Double = 0.05, seed: Int? = nil
    ) -> Initializer {
        Initializer(.randomNormal(mean: mean, standardDeviation: standardDeviation), seed: seed)
    }

    /// Uniform from the minimum up to the maximum.
    public static func randomUniform(
        minimum: Double = -0.05, maximum: Double = 0.05, seed: Int? = nil
    ) -> Initializer {
        Initializer(.randomUniform(minimum: minimum, maximum: maximum), seed: seed)
    }

    /// Normal, cut at two standard deviations.
    public static func truncatedNormal(
        mean: Double = 0, standardDeviation: Double = 0.05, seed: Int? = nil
    ) -> Initializer {
        Initializer(.truncatedNormal(mean: mean, standardDeviation: standardDeviation), seed: seed)
    }

    /// A matrix of the last axis and all others together whose rows or columns, the fewer of them, have the length `gain` and
    /// are orthogonal to one another.
    public static func orthogonal(gain: Double = 1, seed: Int? = nil) -> Initializer {
        Initializer(.orthogonal(gain: gain), seed: seed)
    }

    /// A distribution whose variance is `scale` divided by a fan.
    public static func varianceScaling(
        scale: Double = 1, mode: FanMode = .fanIn, distribution: Distribution = .truncatedNormal, seed: Int? = nil
    ) -> Initializer {
        scaling(scale, mode, distribution, "VarianceScaling", seed)
    }

    /// What the variance is divided by.
    public enum FanMode: String, Hashable, Sendable, CaseIterable {
        /// The inputs of one output.
        case fanIn = "fan_in"
        /// The outputs of one input.
        case fanOut = "fan_out"
        /// The mean of the two.
        case fanAverage = "fan_avg"
    }

    /// The shape of the distribution.
    public enum Distribution: String, Hashable, Sendable, CaseIterable {
        /// Normal, cut at two standard deviations, with the variance asked for after the cut.
        case truncatedNormal = "truncated_normal"
        /// Normal.
        case untruncatedNormal = "untruncated_normal"
        /// Uniform around zero.
        case uniform
    }

    private static func scaling(
        _ scale: Double, _ mode: FanMode, _ distribution: Distribution, _ className: String, _ seed: Int?
    ) -> Initializer {
        let scaling = VarianceScaling(scale: scale, mode: mode, distribution: distribution)
        return Initializer(.varianceScaling(scaling, className: className), seed: seed)
    }
}

/// A distribution whose variance is `scale` divided by a fan.
package struct VarianceScaling: Hashable, Sendable {
    package var scale: Double
    package var mode: Initializer.FanMode
    package var distribution: Initializer.Distribution
    /// The inputs of one output and the outputs of one input, where the shape of the variable does not tell.
    package var fans: Fans?

    /// How many inputs an output has, and outputs an input.
    package struct Fans: Hashable, Sendable {
        let inputs: Int
        let outputs: Int
    }
}

extension Initializer {
    /// The same for a kernel whose axes belong together in another way than the last two do: those of the heads of attention.
    func counting(inputs: Int, outputs: Int) -> Initializer {
        guard case .varianceScaling(var scaling, let className) = kind else { return self }
        scaling.fans = VarianceScaling.Fans(inputs: inputs, outputs: outputs)
        return Initializer(.varianceScaling(scaling, className: className), seed: seed)
    }
}

/// Where an initial value's random numbers come from: a key, the model's seed, and a stream, the variable's place in it.
package struct InitializerStream: Hashable, Sendable {
    package var key: UInt64
    package var stream: UInt64

    package init(key: UInt64, stream: UInt64) { (self.key, self.stream) = (key, stream) }
}
