/// What the layers share that act at random, and in training alone.
///
/// Each step draws anew; the same run draws the same again. Two layers with the same `seed` draw the same numbers.
/// In inference mode nothing happens.
public class RandomLayer: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Chooses the random numbers; `nil` gives each layer of a model its own.
    public let seed: Int?

    init(seed: Int?, name: String?) {
        self.seed = seed
        super.init(name: name)
    }

    /// The input times random factors of a shape that is broadcast to its own: 0 with the probability `rate`, else
    /// 1 / (1 − rate). Outside training the input.
    final func drop(
        _ input: ValueID, factors shape: Shape, rate: Double, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID {
        guard context.training, rate > 0 else { return input }
        guard rate < 1 else { return try context.graph.binary(.multiply, input, 0) }
        let kept = try context.graph.binary(.greaterOrEqual, context.uniform(shape, seed: seed), Float(rate))
        let factors = try context.graph.binary(.multiply, kept, Float(1 / (1 - rate)))
        return try context.graph.binary(.multiply, input, factors)
    }
}

extension Argument where Owner: RandomLayer, Value == Int? {
    /// What chooses the random numbers.
    static var seed: Self {
        custom(
            "seed", \.seed, default: .some(nil),
            read: { (value) throws(GraftError) in try value.expect(value.integer, "a whole number or null") },
            write: { $0.configuration })
    }
}
