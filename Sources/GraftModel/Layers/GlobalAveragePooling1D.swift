/// The mean of each channel over the whole sequence, or over the steps that a mask names.
///
/// Input `(batch, steps, channels)`, output `(batch, channels)`, or `(batch, 1, channels)` with `keepDims`. A mask `(batch, steps)`,
/// of int32 or float32, is not 0 where a step counts; a sequence in which none counts gives NaN, as in Keras.
///
/// Source: keras/src/layers/pooling/global_average_pooling1d.py.
public final class GlobalAveragePooling1D: GlobalPoolingLayer, @unchecked Sendable {  // nothing of its own
    override class var schema: LayerSchema? { table }
    private static let table = schema(GlobalAveragePooling1D.self, GlobalAveragePooling1D.init)

    /// A pooling over whole sequences.
    public init(keepDims: Bool = false, name: String? = nil) {
        super.init(.mean, axisCount: 1, keepDims: keepDims, name: name)
    }

    /// Calls the layer on a sequence and the mask of the steps that count.
    ///
    /// - Throws: ``GraftError`` with code `shape` where they have different lengths.
    public func callAsFunction(
        _ input: SymbolicTensor, mask: SymbolicTensor, training: Bool? = nil
    ) throws(GraftError) -> SymbolicTensor {
        try onlyOutput(call([input, mask], CallArguments(names: ["inputs", "mask"]), training: training))
    }

    package override var callSignature: CallSignature? {
        CallSignature(tensors: ["inputs", "mask"], positionalCount: 1)
    }

    package override func builtShapes(
        of inputShapes: [Shape], _ arguments: CallArguments
    ) throws(GraftError) -> [Shape] { Array(inputShapes.prefix(1)) }

    package override func outputShapes(
        for inputShapes: [Shape], _ arguments: CallArguments
    ) throws(GraftError) -> [Shape] {
        let input = try Self.sequence(Array(inputShapes.prefix(1)))
        if let mask = arguments.input("mask", of: inputShapes), mask != [input[0]] {
            throw GraftError(
                .shape,
                "GlobalAveragePooling1D: the mask of \(input.batchDescription) must be (None, \(input[0])), is "
                    + mask.batchDescription)
        }
        return [try outputShape(for: [input])]
    }

    /// The sum of the steps that count, divided by their number.
    package override func lowerAll(
        _ inputs: [ValueID], _ arguments: CallArguments, in context: inout LoweringContext
    ) throws(GraftError) -> [ValueID] {
        guard let mask = arguments.input("mask", of: inputs) else { return [try lower(inputs, in: &context)] }
        let shape = context.graph.shape(of: mask)
        let flags = try context.graph.reshape(
            context.graph.cast(mask, to: .float32), to: Shape(shape.dimensions + [1]))
        let (one, zero) = (try context.graph.constant(1), try context.graph.constant(0))
        let kept = try context.graph.select(flags, inputs[0], zero)
        let sum = try context.graph.reduce(.sum, kept, axes: [1], keepDimensions: keepDims)
        let count = try context.graph.reduce(
            .sum, context.graph.select(flags, one, zero), axes: [1], keepDimensions: keepDims)
        return [try context.graph.binary(.divide, sum, count)]
    }
}
