/// In training, sets elements to zero at random with the probability `rate`, and multiplies the others by
/// 1 / (1 − rate), so that the expected sum stays. In inference mode, and with rate 0, it does nothing.
///
/// Input and output have the same shape. Each step draws anew; the same run draws the same again. Two layers with the
/// same `seed` draw the same numbers.
///
/// Source: keras/src/layers/regularization/dropout.py.
public final class Dropout: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Keras's name.
    public override class var className: String { "Dropout" }
    /// The share of elements that is dropped, from 0 to 1.
    public let rate: Double
    /// Chooses the random numbers; `nil` gives each layer of a model its own.
    public let seed: Int?

    /// A layer that drops this share of its input.
    public init(_ rate: Double, seed: Int? = nil, name: String? = nil) {
        (self.rate, self.seed) = (rate, seed)
        super.init(name: name)
    }

    /// The rate is from 0 to 1.
    public override func checkArguments() throws(GraftError) { try Self.check(rate, of: Self.className) }

    /// - Throws: `GraftError` with code `argument` for a rate that is none.
    static func check(_ rate: Double, of layer: String) throws(GraftError) {
        guard (0...1).contains(rate) else {
            throw GraftError(.argument, "\(layer): the rate must be from 0 to 1, is \(rate)")
        }
    }

    /// A comparison of random numbers with the rate, and two multiplications; nothing outside training.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        return try Self.drop(input, factors: context.graph.shape(of: input), rate: rate, seed: seed, in: &context)
    }

    /// The input times random factors of a shape that is broadcast to its own; outside training the input.
    static func drop(
        _ input: ValueID, factors shape: Shape, rate: Double, seed: Int?, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID {
        guard context.training, rate > 0 else { return input }
        guard rate < 1 else { return try context.graph.binary(.multiply, input, 0) }
        let factors = try factors(shape, rate: rate, seed: seed, in: &context)
        return try context.graph.binary(.multiply, input, factors)
    }

    /// 0 with the probability `rate`, else 1 / (1 − rate).
    private static func factors(
        _ shape: Shape, rate: Double, seed: Int?, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID {
        let stream = seed.map { seededStreams | UInt64(bitPattern: Int64($0)) } ?? context.nextRandomStream()
        let numbers = try context.graph.randomUniform(stream: stream, shape)
        let kept = try context.graph.binary(.greaterOrEqual, numbers, Float(rate))
        return try context.graph.binary(.multiply, kept, Float(1 / (1 - rate)))
    }

    /// Streams with this bit belong to layers with a seed, the others are counted.
    private static let seededStreams: UInt64 = 1 << 63

    /// Keras's arguments.
    public override var arguments: [String: Configuration] {
        ["rate": .double(rate), "seed": seed.map { .int($0) } ?? .null, "noise_shape": nil]
    }
}

extension Dropout {
    /// From Keras's configuration.
    convenience init(from reader: inout ConfigurationReader) throws(GraftError) {
        let (rate, seed) = try Self.rateAndSeed(from: &reader)
        self.init(rate, seed: seed, name: reader.name)
        try reader.requireNull("noise_shape")
    }

    /// The arguments that all kinds of dropout have.
    static func rateAndSeed(from reader: inout ConfigurationReader) throws(GraftError) -> (rate: Double, seed: Int?) {
        let rate = try reader.number("rate")
        let seed = reader.optional("seed")
        guard seed == nil || seed?.integer != nil else {
            throw reader.wrong("seed", "must be a whole number or null")
        }
        return (rate, seed?.integer)
    }
}
