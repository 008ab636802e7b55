/// The product of several tensors, element by element.
///
/// Inputs of one shape, or of shapes that broadcast as in numpy; where one has fewer axes, they count from the last.
/// Source: keras/src/layers/merging/multiply.py, base_merge.py.
public final class Multiply: Layer, @unchecked Sendable {  // nothing of its own; `Layer` guards its own
    /// Keras's name.
    public override class var className: String { "Multiply" }

    /// A layer for two inputs or more.
    public init(name: String? = nil) { super.init(name: name) }

    package override var takesList: Bool { true }

    /// The shape that the inputs have together.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        try Merging.outputShape(for: inputShapes, className: Self.className)
    }

    /// One operation less than there are inputs.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try Merging.lower(inputs, .multiply, in: &context)
    }
}

extension Multiply {
    /// From Keras's configuration.
    convenience init(from reader: inout ConfigurationReader) { self.init(name: reader.name) }
}
