/// The place where data enters a model.
///
/// ``Input(shape:name:)`` gives its tensor at once; the layer itself is of use as the first one of a ``Sequential``.
///
/// Output shape: `(batch, shape…)`. Source: keras/src/layers/core/input_layer.py.
public final class InputLayer: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Keras's name.
    public override class var className: String { "InputLayer" }
    /// The shape of one example, without the batch axis.
    public let shape: Shape

    /// A place for examples of this shape.
    public init(shape: Shape, name: String? = nil) {
        self.shape = shape
        super.init(name: name)
        markBuilt([])
    }

    /// The shape of one example.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape { shape }

    /// Each size must be at least 1.
    public override func checkArguments() throws(GraftError) {
        guard shape.hasSensibleSize, shape.dimensions.allSatisfy({ $0 > 0 }) else {
            throw GraftError(
                .shape,
                "the input \(name) cannot have the shape \(shape): each size must be at least 1, and their product in range"
            )
        }
    }

    /// The tensor that stands for the data; the same one for as long as somebody holds it.
    package func tensor() -> SymbolicTensor {
        let call = calls.first ?? Call(layer: self, inputs: [], training: nil, outputShapes: [shape])
        return SymbolicTensor(call: call, index: 0)
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
/// A place where data enters a model: `let x = Input(shape: [150, 150, 3])`.
///
/// - Parameters:
///   - shape: The shape of one example, without the batch axis.
///   - name: The input's name; `input_layer`, `input_layer_1`, … where none is given.
public func Input(shape: Shape, name: String? = nil) -> SymbolicTensor {
    InputLayer(shape: shape, name: name).tensor()
}

extension InputLayer {
    /// Keras's whole configuration.
    package var inputConfiguration: [String: Configuration] {
        [
            "batch_shape": .array([.null] + shape.dimensions.map { .int($0) }), "dtype": "float32", "sparse": false,
            "ragged": false, "name": .string(name), "optional": false,
        ]
    }

    /// From Keras's configuration. The batch's size may be anything; all others must be known.
    convenience init(from reader: inout ConfigurationReader) throws(GraftError) {
        guard let value = reader.optional("batch_shape") ?? reader.optional("batch_input_shape"),
            let sizes = value.elements, !sizes.isEmpty
        else { throw reader.wrong("batch_shape", "is missing") }
        let known = sizes.dropFirst().compactMap(\.integer)
        guard known.count == sizes.count - 1 else {
            throw reader.wrong(
                "batch_shape", "is \(value.brief); Graft needs every size but the batch's to be a number")
        }
        self.init(shape: Shape(known), name: reader.name)
        try reader.require("sparse", false)
        try reader.require("ragged", false)
        try reader.require("optional", false)
    }
}
