/// An operation of your own: its name, shape rule and reference, and its gradient where something before it trains.
///
/// Every backend runs it: the CPU by its reference, in 64-bit floats on one thread.
///
///     struct Cube: CustomOperation {
///         let name = "cube"
///         let operandCount: Int? = 1
///         func shape(of operands: [Shape]) -> Shape { operands[0] }
///         func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
///             ReferenceArray(operands[0].values.map { $0 * $0 * $0 }, shape: result)
///         }
///     }
///     let y = try graph.custom(Cube(), [x])
///
/// Two operations are the same one where they are equal: attributes belong into stored properties.
public protocol CustomOperation: Hashable, Sendable {
    /// The name, without attributes: for messages and profiles.
    var name: String { get }

    /// How many operands the operation takes, or `nil` for one that takes any positive number.
    var operandCount: Int? { get }

    /// The shape rule: the result's shape for as many operands as ``operandCount`` says.
    ///
    /// - Throws: ``GraftError`` with code `shape` where the operands do not fit.
    func shape(of operands: [Shape]) throws(GraftError) -> Shape

    /// The result in 64-bit floats, for operands whose shapes fit; its shape is `result`, which the shape rule gave.
    ///
    /// The same operands must give the same result, on any thread.
    func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray

    /// The gradient with respect to one operand, of that operand's shape, made of operations that are added to the graph.
    /// Asked for only where something is differentiated by that operand. An operation that does not say it has none.
    ///
    /// - Returns: `nil` where the operand's gradient is zero everywhere.
    /// - Throws: ``GraftError`` where there is none: see ``BackwardStep/refusal(_:)``.
    func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID?

    /// Whether element i along axis 0 of the result depends on nothing but elements i of the operands that have one for
    /// each example: only then may it belong to a trunk, whose features are kept. False for one that does not say it.
    ///
    /// - Parameter operands: at least one is per example; the others are fixed.
    func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool
}

extension CustomOperation {
    /// Refuses: an operation is without gradient until it gives one.
    public func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        throw step.refusal("has no gradient; give it one, or train nothing that stands before it")
    }

    /// Taken to mix examples.
    public func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool { false }
}

/// An operation outside the families of ``Operation``: a user's, or one of Graft's with a file of its own.
///
/// Two are equal where type and attributes are.
public struct AnyCustomOperation: Hashable, Sendable {
    /// What is known of it.
    package let rule: any OperationRule

    /// A user's operation.
    public init(_ operation: some CustomOperation) { rule = CustomRule(operation: operation) }

    /// One of Graft's.
    package init(_ rule: any OperationRule) { self.rule = rule }

    /// Whether both are of one type and equal.
    public static func == (left: Self, right: Self) -> Bool { AnyHashable(left.rule) == AnyHashable(right.rule) }

    /// By the operation's own hash.
    public func hash(into hasher: inout Hasher) { rule.hash(into: &hasher) }
}

/// A user's operation as a rule.
private struct CustomRule<Custom: CustomOperation>: OperationRule {
    let operation: Custom

    var name: String { operation.name }
    var operandCount: Int? { operation.operandCount }
    func shape(of operands: [Shape]) throws(GraftError) -> Shape { try operation.shape(of: operands) }

    func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        try operation.gradient(ofOperand: position, step, in: &graph)
    }

    func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        operation.reference(operands, result: result)
    }

    func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool {
        operation.keepsExamplesApart(operands, result: result)
    }
}

extension CustomRule: CustomStringConvertible {
    var description: String { "\(name)(\(String(reflecting: operation)))" }
}

extension Graph {
    /// Adds an operation of your own.
    ///
    /// - Throws: ``GraftError`` where the operands do not fit its shape rule.
    public mutating func custom(
        _ operation: some CustomOperation, _ operands: [ValueID]
    ) throws(GraftError) -> ValueID {
        try add(.custom(AnyCustomOperation(operation)), operands)
    }
}
