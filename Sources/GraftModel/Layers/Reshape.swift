/// The same elements, in row-major order, under another shape; the batch axis stays.
///
/// Input `(batch, …)`, output `(batch, targetShape…)`, where one size of the target may be −1: it follows from the rest.
/// Source: keras/src/layers/reshaping/reshape.py.
public final class Reshape: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Reshape.self, Reshape.init(_:name:), .integers("target_shape", \.targetShape), .name,
        traits: [.builtFromTheStart, .keepsNumbers])

    /// The new sizes, without the batch axis; at most one of them −1.
    public let targetShape: [Int]

    /// A layer that gives its input these sizes.
    public init(_ targetShape: [Int], name: String? = nil) {
        self.targetShape = targetShape
        super.init(name: name)
    }

    /// Each size is positive, but for one that may be −1.
    public override func checkArguments() throws(GraftError) {
        let known = targetShape.filter { $0 != -1 }
        guard known.count >= targetShape.count - 1, known.allSatisfy({ $0 > 0 }), Shape(known).isValid else {
            throw GraftError(
                .argument, "Reshape: the sizes \(targetShape) must be positive, but for one that may be -1")
        }
    }

    /// The target's sizes.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let input = try Self.only(inputShapes)
        let known = targetShape.filter { $0 != -1 }.reduce(1, *)
        let missing = input.elementCount / known
        let result = Shape(targetShape.map { $0 == -1 ? missing : $0 })
        guard result.elementCount == input.elementCount else {
            throw GraftError(
                .shape,
                "Reshape: the \(input.elementCount) elements of \(input.batchDescription) do not fill the sizes "
                    + "\(targetShape)")
        }
        return result
    }

    /// No work: the same memory under another shape.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let dimensions = context.graph.shape(of: input).dimensions
        let shape = try outputShape(for: [Shape(Array(dimensions.dropFirst()))])
        return try context.graph.reshape(input, to: Shape([dimensions[0]] + shape.dimensions))
    }
}
