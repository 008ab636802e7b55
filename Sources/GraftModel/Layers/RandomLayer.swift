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

extension RandomLayer {
    /// The input's shape, where random numbers of these sizes are broadcast to it.
    final func checked(_ noise: [Int?]?, for input: Shape) throws(GraftError) -> Shape {
        guard let noise else { return input }
        // The batch's size is not known yet; it is looked at when there is one.
        let fits =
            noise.count == input.rank + 1
            && zip(noise.dropFirst(), input.dimensions).allSatisfy { $0 == nil || $0 == 1 || $0 == $1 }
        guard fits else {
            let shown = noise.map { $0.map(String.init) ?? "None" }.joined(separator: ", ")
            throw GraftError(
                .shape, "\(Self.className): the noise shape (\(shown)) does not fit \(input.batchDescription)")
        }
        return input
    }

    /// The sizes of the random numbers for an input.
    final func sizes(_ noise: [Int?]?, of input: ValueID, in context: LoweringContext) throws(GraftError) -> Shape {
        let shape = context.graph.shape(of: input)
        guard let noise else { return shape }
        guard noise.count == shape.rank, [nil, 1, shape[0]].contains(noise[0]) else {
            throw GraftError(
                .shape, "\(Self.className): the noise is for batches of \(noise[0] ?? 0), not of \(shape[0]); use null")
        }
        return Shape(zip(noise, shape.dimensions).map { $0 ?? $1 })
    }
}

extension Argument where Owner: RandomLayer, Value == [Int?]? {
    /// The sizes of what is drawn.
    static func noiseShape(_ path: Property<Owner, [Int?]?>) -> Self {
        custom(
            "noise_shape", path, default: .some(nil),
            read: { (value) throws(GraftError) in
                let elements = try value.expect(value.elements, "a list")
                guard elements.allSatisfy({ $0.isNull || ($0.integer ?? 0) > 0 }) else {
                    throw value.isNot("positive numbers or null")
                }
                return elements.map(\.integer)
            },
            write: { sizes in
                sizes.map { .array($0.map { size in size.map { .int($0) } ?? .null }) } ?? .null
            })
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
