/// What the layers share that join tensors element by element.
///
/// Inputs of one shape, or of shapes that broadcast as in numpy; where one has fewer axes, they count from the last.
/// Source: keras/src/layers/merging/base_merge.py.
public class MergingLayer: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    private let function: BinaryFunction

    init(_ function: BinaryFunction, name: String?) {
        self.function = function
        super.init(name: name)
    }

    /// The shape that the inputs have together.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        guard var result = inputShapes.first else {
            throw GraftError(.argument, "\(Self.className) takes two inputs or more; it was given none")
        }
        for shape in inputShapes.dropFirst() {
            guard let joined = result.broadcast(with: shape) else {
                let shapes = inputShapes.map(\.batchDescription).joined(separator: ", ")
                throw GraftError(.shape, "\(Self.className): the shapes \(shapes) do not fit one another")
            }
            result = joined
        }
        return result
    }

    /// One operation less than there are inputs.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try joined(inputs, in: &context)
    }

    /// All inputs, joined one after the other.
    final func joined(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let rank = inputs.map { context.graph.shape(of: $0).rank }.max() ?? 0
        var result: ValueID?
        for input in inputs {
            var dimensions = context.graph.shape(of: input).dimensions
            // Axes are missing after the batch axis, not in front of it.
            dimensions.insert(contentsOf: [Int](repeating: 1, count: rank - dimensions.count), at: 1)
            let operand = try context.graph.reshape(input, to: Shape(dimensions))
            result = if let left = result { try context.graph.binary(function, left, operand) } else { operand }
        }
        guard let result else { throw GraftError(.argument, "a merging layer was given no input") }
        return result
    }
}
