/// The place where data enters a model.
///
/// ``Input(shape:dtype:name:)`` gives its tensor at once; the layer itself is of use as the first one of a ``Sequential``.
///
/// Output shape: `(batch, shape…)`. Source: keras/src/layers/core/input_layer.py.
public final class InputLayer: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        InputLayer.self, InputLayer.init(shape:dtype:name:),
        .batchShape, .dtype, .name, fixed: [.only("sparse", false), .only("ragged", false), .only("optional", false)],
        traits: [.builtFromTheStart, .withoutTrainable, .namesType])

    /// The shape of one example, without the batch axis.
    public let shape: Shape
    /// What the data is given as: `float32`, or `int32` for ids.
    public let dtype: ElementType

    /// A place for examples of this shape.
    public init(shape: Shape, dtype: ElementType = .float32, name: String? = nil) {
        (self.shape, self.dtype) = (shape, dtype)
        super.init(name: name)
        markBuilt([])
    }

    package override func elementType(ofOutput position: Int, inputs: [ElementType]) -> ElementType { dtype }

    /// The shape of one example.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape { shape }

    /// Each size must be at least 1, and the numbers float32 or int32.
    public override func checkArguments() throws(GraftError) {
        guard dtype != .bfloat16 else {
            throw GraftError(.argument, "the input \(name) cannot be bfloat16; give it float32 or int32")
        }
        guard shape.hasSensibleSize, shape.dimensions.allSatisfy({ $0 > 0 }) else {
            throw GraftError(
                .shape,
                "the input \(name) cannot have the shape \(shape): each size must be at least 1, and their product in range"
            )
        }
    }

    /// The tensor that represents the data; the same one for as long as somebody holds it.
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
///   - dtype: `int32` for ids, such as those of tokens. What is given as the other type is converted.
///   - name: The input's name; `input_layer`, `input_layer_1`, … where none is given.
public func Input(shape: Shape, dtype: ElementType = .float32, name: String? = nil) -> SymbolicTensor {
    InputLayer(shape: shape, dtype: dtype, name: name).tensor()
}

extension Argument<InputLayer, Shape> {
    /// The batch's size may be anything; all others must be known.
    fileprivate static var batchShape: Self {
        custom(
            "batch_shape", orElse: "batch_input_shape", \.shape, default: nil,
            read: { (value) throws(GraftError) in
                guard let sizes = value.elements, !sizes.isEmpty else { throw GraftError(.format, "is missing") }
                let known = sizes.dropFirst().compactMap(\.integer)
                guard known.count == sizes.count - 1 else {
                    throw GraftError(
                        .format, "is \(value.brief); Graft needs every size but the batch's to be a number")
                }
                return Shape(known)
            }, write: { $0.batchConfiguration })
    }
}

extension Argument<InputLayer, ElementType> {
    /// A name, or a policy's name.
    fileprivate static var dtype: Self {
        custom(
            "dtype", \.dtype, default: .float32,
            read: { (value) throws(GraftError) in
                let name = value.policyName ?? ""
                if name == "float32" || NumberPolicy.readAsFloat32.contains(name) { return .float32 }
                if ["int32", "int64", "int16", "int8", "uint8", "uint16", "uint32"].contains(name) { return .int32 }
                throw GraftError(
                    .format, "is \(value.brief); Graft takes inputs of floating-point numbers and integers")
            }, write: { .string($0.rawValue) })
    }
}
