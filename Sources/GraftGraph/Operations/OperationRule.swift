/// What Graft knows of an operation: its name, shape rule, element types, gradient, reference and cost, and whether it
/// mixes examples.
///
/// A file in `Operations` answers all of it for one family. Differentiation, the interpreter, the passes and the trunk's
/// split ask these questions in place of knowing operations by name. What users may say of an
/// operation of their own is ``CustomOperation``.
package protocol OperationRule: Hashable, Sendable {
    /// The name, without attributes: for messages and profiles.
    var name: String { get }

    /// How many operands the operation takes, or `nil` for one that takes any positive number.
    var operandCount: Int? { get }

    /// The shapes among the attributes: checked before the shape rule is asked.
    var attributeShapes: [Shape] { get }

    /// The shape rule: the result's shape for operands of these shapes, as many as ``operandCount`` says, all of them
    /// valid.
    ///
    /// - Throws: ``GraftError`` with code `shape` where the operands do not fit.
    func shape(of operands: [Shape]) throws(GraftError) -> Shape

    /// Of which element type the result may be.
    var typeRule: TypeRule { get }

    /// What the operation does where convolutions compute in bfloat16.
    var precision: PrecisionRule { get }

    /// The gradient with respect to one operand, of that operand's shape, made of operations that are added to the graph.
    /// Asked for only where something is differentiated by that operand.
    ///
    /// - Returns: `nil` where the operand's gradient is zero everywhere.
    /// - Throws: ``GraftError`` where there is none: see ``BackwardStep/refusal(_:)``.
    func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID?

    /// The result in 64-bit floats by plain loops: what every backend is tested against.
    ///
    /// - Parameters:
    ///   - operands: of shapes that fit.
    ///   - result: the result's shape, from the shape rule.
    func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray

    /// Whether it multiplies many numbers with many, so that what it gives is worth keeping.
    var isProduct: Bool { get }

    /// The additions and multiplications of a product, each counted as one; 0 for what is a matter of memory.
    func flopCount(of operands: [Shape], result: Shape) -> Int

    /// Whether it is so cheap that the trunk and the rest may both compute it, where features are smaller before it.
    var isCheapToRepeat: Bool { get }

    /// Whether element i along axis 0 of the result depends on nothing but elements i of the operands that are per example, so
    /// that all of them have as many. An operation that mixes examples ends the trunk. A reshape is not asked.
    ///
    /// - Parameter operands: at least one is per example; the others are fixed.
    func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool
}

/// Which element types a result may have.
package enum TypeRule: Hashable, Sendable {
    /// Computed in 32 bits at least and rounded once to the floating-point type that is asked for.
    case rounded
    /// Always this type.
    case fixed(ElementType)
    /// Whatever floating-point type it is stored as; nothing is computed.
    case stored
    /// 32-bit floats or integers, as it is asked for: what a run is given.
    case given
    /// The first operand's.
    case ofOperand
    /// This type, whatever is read: the operation is the rounding.
    case conversion(ElementType)
}

/// What an operation does where convolutions compute in bfloat16: see ``Graph/choosingPrecision(_:)``.
package enum PrecisionRule: Hashable, Sendable {
    /// Its result stays in 32 bits.
    case full
    /// Reads bfloat16 and sums in 32 bits; the result is bfloat16 where `rounds` is true and a convolution reads it.
    case convolution(rounds: Bool)
    /// Moves elements: the result is bfloat16 where any operand is.
    case anyOperand
    /// Moves elements: the result is bfloat16 where the first operand is.
    case firstOperand
    /// Computes element by element: the result is bfloat16 between convolutions.
    case elementwise
    /// The same bytes under another shape.
    case view
}

extension OperationRule {
    package var attributeShapes: [Shape] { [] }
    package var typeRule: TypeRule { .rounded }
    package var precision: PrecisionRule { .full }
    package var isProduct: Bool { false }
    package func flopCount(of operands: [Shape], result: Shape) -> Int { 0 }
    package var isCheapToRepeat: Bool { false }

    /// An error about shapes that names the operation.
    package func mismatch(_ message: String) -> GraftError { GraftError(.shape, "operation \(name): \(message)") }

    func require(_ shape: Shape, equals expected: Shape?, giving result: Shape) throws(GraftError) -> Shape {
        guard shape == expected else {
            throw mismatch("got the shape \(shape), needs \(expected.map(String.init(describing:)) ?? "one that fits")")
        }
        return result
    }
}

/// A node whose gradient is known, for the rules that hand it on.
public struct BackwardStep: Sendable {
    /// The node's result.
    public let value: ValueID
    /// The node.
    public let node: Graph.Node
    /// The loss's gradient with respect to the result, of the result's shape.
    public let gradient: ValueID

    /// What the node reads at a position.
    public func operand(_ position: Int) -> ValueID { node.operands[position] }

    /// The error of an operation that has no gradient.
    ///
    /// - Parameter why: continues after "the operation … ".
    public func refusal(_ why: String) -> GraftError {
        GraftError(.argument, "gradients: the operation \(node.operation.name) \(why)")
    }
}

/// What is known of an operand when the trunk is looked for.
public struct ExampleOperand: Sendable {
    /// The operand's shape.
    public let shape: Shape
    /// Whether axis 0 is the batch, or the batch with the rows of each example one after the other.
    public let isPerExample: Bool
    /// Whether it is the same in every run.
    public let isFixed: Bool

    /// Whether it takes part in an elementwise operation with this result example by example.
    public func matches(_ result: Shape) -> Bool {
        if isPerExample { return shape.rank == result.rank && shape[0] == result[0] }
        return isFixed && (shape.rank < result.rank || shape[0] == 1)
    }
}
