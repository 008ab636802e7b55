import Synchronization

/// A place in a model that a tensor will go through: the result of calling a layer, before there is data.
///
/// Equal where they are the same result of the same call.
public struct SymbolicTensor: Sendable, Hashable, CustomStringConvertible {
    package let call: Call
    package let index: Int

    package init(call: Call, index: Int) { (self.call, self.index) = (call, index) }

    /// The sizes of its axes, without the batch axis.
    public var shape: Shape { call.outputShapes[index] }

    /// What its elements are: those of an input layer, and of what only gives them another shape; float32 elsewhere.
    public var dtype: ElementType { call.outputTypes[index] }

    /// The layer whose call made it.
    public var layer: Layer { call.layer }

    /// The layer's name and the shape with its batch axis, as Keras prints it.
    public var description: String { "<\(layer.name) \(shape.batchDescription)>" }

    /// The same result of the same call.
    public static func == (left: SymbolicTensor, right: SymbolicTensor) -> Bool {
        left.call === right.call && left.index == right.index
    }

    /// By identity of the call.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(call))
        hasher.combine(index)
    }
}

/// One call of a layer: what went in and what came out. A layer that is called twice has two, with the same variables.
///
/// Calls keep their layer and the calls before them alive; a layer only knows its calls weakly, and models own the
/// calls they are made of, so that nothing is kept in a circle.
package final class Call: Sendable {
    package let layer: Layer
    /// The explicit `training` argument; `false` holds the layer in inference mode.
    package let training: Bool?
    /// What it says of its inputs by name.
    package let arguments: CallArguments
    package let outputShapes: [Shape]
    /// What the elements of each result are.
    let outputTypes: [ElementType]
    /// Calls in the order they were made.
    let sequence: Int
    private let storedInputs: Mutex<[SymbolicTensor]>

    /// A call that the layer knows of.
    convenience init(
        layer: Layer, inputs: [SymbolicTensor], training: Bool?, arguments: CallArguments = .plain,
        outputShapes: [Shape]
    ) {
        self.init(
            unknownTo: layer, inputs: inputs, training: training, arguments: arguments, outputShapes: outputShapes)
        layer.remember(self)
    }

    private init(
        unknownTo layer: Layer, inputs: [SymbolicTensor], training: Bool?, arguments: CallArguments,
        outputShapes: [Shape]
    ) {
        (self.layer, self.training, self.outputShapes) = (layer, training, outputShapes)
        self.arguments = arguments
        outputTypes = outputShapes.indices.map { layer.elementType(ofOutput: $0, inputs: inputs.map(\.dtype)) }
        sequence = CreationSequence.next()
        storedInputs = Mutex(inputs)
    }

    /// The same call with other inputs of the same shapes. The layer does not know of it, so that its `output` stays
    /// what it was.
    func repeated(with inputs: [SymbolicTensor]) -> Call {
        Call(
            unknownTo: layer, inputs: inputs, training: training, arguments: arguments, outputShapes: outputShapes)
    }

    /// What the layer was called with, in order.
    package var inputs: [SymbolicTensor] { storedInputs.withLock { $0 } }

    /// What came out, in order.
    package var outputs: [SymbolicTensor] { outputShapes.indices.map { SymbolicTensor(call: self, index: $0) } }

    /// Whether it stands for data that goes into a model.
    package var isInput: Bool { layer is InputLayer }

    /// Chains of calls can be thousands long: they are taken apart in a loop, not by recursion.
    deinit {
        var pending = takeInputs().map(\.call)
        while var call = pending.popLast() {
            if isKnownUniquelyReferenced(&call) { pending += call.takeInputs().map(\.call) }
        }
    }

    private func takeInputs() -> [SymbolicTensor] {
        storedInputs.withLock { inputs in
            defer { inputs = [] }
            return inputs
        }
    }
}

/// Numbers layers and calls in the order they were made. Used for order alone, never for names.
enum CreationSequence {
    private static let counter = Atomic<Int>(0)
    static func next() -> Int { counter.add(1, ordering: .relaxed).oldValue }
}

extension Shape {
    /// As Keras prints a shape with its batch axis: `(None, 7, 7, 768)`.
    package var batchDescription: String {
        "(" + (["None"] + dimensions.map(String.init)).joined(separator: ", ") + ")"
    }

    /// The most elements that one example or variable may have: more than fits any machine, and few enough that the
    /// sizes of batches of it can be computed. Files may ask for anything.
    private static let sensibleElementCount = 1 << 36

    /// Whether no size is negative and the elements can be counted and are not absurdly many.
    package var hasSensibleSize: Bool { isValid && elementCount <= Self.sensibleElementCount }

    /// Refuses what ``hasSensibleSize`` does not hold for.
    package func checkSize() throws(GraftError) {
        guard hasSensibleSize else {
            throw GraftError(.shape, "an output of the shape \(batchDescription) is larger than any machine")
        }
    }
}
