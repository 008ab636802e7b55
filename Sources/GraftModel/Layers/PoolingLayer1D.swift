/// What the poolings of sequences share: a window that moves along the steps, as over images of one row.
///
/// Input `(batch, steps, channels)`, output `(batch, newSteps, channels)`, sizes as ``Padding`` has them.
/// Source: keras/src/layers/pooling/base_pooling.py.
public class PoolingLayer1D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// The steps that make one.
    public let poolSize: Int
    /// The step between windows.
    public let strides: Int
    /// What happens at the ends.
    public let padding: Padding

    init(poolSize: Int, strides: Int?, padding: Padding, name: String?) {
        (self.poolSize, self.strides, self.padding) = (poolSize, strides ?? poolSize, padding)
        super.init(name: name)
    }

    /// The table of a pooling.
    static func schema<Owner: PoolingLayer1D>(
        _ type: Owner.Type, _ make: @escaping @Sendable (Int, Int?, Padding, String?) -> Owner
    ) -> LayerSchema {
        LayerSchema(
            type, make, .length("pool_size", \.poolSize, default: 2), .lengthOrNil("strides", \.strides),
            .padding(\.padding), .name, fixed: [.channelsLast], traits: [.builtFromTheStart])
    }

    /// Steps as ``Padding`` has them, and the channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let sequence = try Self.sequence(inputShapes)
        let result = try window(steps: sequence[0]).resultShape(input: [1, 1, sequence[0], sequence[1]])
        return [result[2], result[3]]
    }

    /// The input as images of one row, and the operation's window for it.
    final func windowed(
        _ inputs: [ValueID], in context: inout LoweringContext
    ) throws(GraftError) -> (row: ValueID, window: Window) {
        let input = try Self.only(inputs)
        let shape = context.graph.shape(of: input)
        let row = try context.graph.reshape(input, to: [shape[0], 1, shape[1], shape[2]])
        return (row, window(steps: shape[1]))
    }

    /// Images of one row as sequences again.
    final func sequence(_ row: ValueID, in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let shape = context.graph.shape(of: row)
        return try context.graph.reshape(row, to: [shape[0], shape[2], shape[3]])
    }

    private func window(steps: Int) -> Window {
        let (size, strides) = (Size2D(1, poolSize), Size2D(1, strides))
        let edges = padding.edges(height: 1, width: steps, window: size, strides: strides)
        return Window(size: size, strides: strides, padding: edges)
    }
}
