/// A function of single numbers, applied to each element; operands are broadcast as numpy does.
public enum Elementwise: Hashable, Sendable {
    /// `operand`
    case unary(UnaryFunction)
    /// `left, right`
    case binary(BinaryFunction)
    /// `condition, whenTrue, whenFalse`; a condition holds where it is not zero.
    case select
    /// A chain of the three above in one pass over memory: see ``ElementwiseProgram``.
    case fused(ElementwiseProgram)

    /// The operation as a program.
    public var program: ElementwiseProgram {
        switch self {
        case .unary(let function): ElementwiseProgram(operandCount: 1, instructions: [.unary(function, 0)])
        case .binary(let function): ElementwiseProgram(operandCount: 2, instructions: [.binary(function, 0, 1)])
        case .select: ElementwiseProgram(operandCount: 3, instructions: [.select(0, 1, 2)])
        case .fused(let program): program
        }
    }
}

extension Elementwise: OperationRule {
    package var name: String {
        switch self {
        case .unary(let function): "\(function)"
        case .binary(let function): "\(function)"
        case .select: "select"
        case .fused: "elementwise"
        }
    }

    package var operandCount: Int? {
        switch self {
        case .unary: 1
        case .binary: 2
        case .select: 3
        case .fused(let program): program.operandCount
        }
    }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        switch self {
        case .unary: return operands[0]
        case .fused(let program) where !program.isWellFormed:
            throw mismatch("the program reads a register before it is written")
        case .binary, .select, .fused: break
        }
        var result: Shape = []
        for operand in operands {
            guard let next = result.broadcast(with: operand) else {
                throw mismatch(
                    "shapes \(operands.map(\.description).joined(separator: ", ")) do not broadcast together")
            }
            result = next
        }
        return result
    }

    package var precision: PrecisionRule { .elementwise }

    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        let full: ValueID?
        switch self {
        case .unary(let function): return try function.gradient(step, in: &graph)
        case .binary(let function): full = try function.gradient(ofOperand: position, step, in: &graph)
        case .select:
            guard position > 0 else { return nil }
            let zero = try graph.constant(0)
            let (whenTrue, whenFalse) = position == 1 ? (step.gradient, zero) : (zero, step.gradient)
            full = try graph.select(step.operand(0), whenTrue, whenFalse)
        case .fused: throw step.refusal("is already fused; differentiate before fusing")
        }
        guard let full else { return nil }
        return try graph.reduced(full, to: graph.shape(of: step.operand(position)))
    }

    /// Operands broadcast to the result, then one element after the other.
    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        let (program, operands) = (program, operands.map { $0.broadcast(to: result).values })
        let values = (0..<result.elementCount).map { position in program.run(operands.map { $0[position] }) }
        return ReferenceArray(values, shape: result)
    }

    package var isCheapToRepeat: Bool { true }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool {
        operands.allSatisfy { $0.matches(result) }
    }
}

extension Elementwise: CustomStringConvertible {
    /// With all attributes, as names of features in the cache have them.
    public var description: String {
        switch self {
        case .unary(let function): "unary(\(String(reflecting: function)))"
        case .binary(let function): "binary(\(String(reflecting: function)))"
        case .select: "select"
        case .fused(let program): "elementwise(\(String(reflecting: program)))"
        }
    }
}

extension Graph {
    /// `function(operand)`, of the operand's shape.
    public mutating func unary(_ function: UnaryFunction, _ operand: ValueID) throws(GraftError) -> ValueID {
        try add(.elementwise(.unary(function)), [operand])
    }

    /// `function(left, right)`, broadcast as numpy does.
    public mutating func binary(
        _ function: BinaryFunction, _ left: ValueID, _ right: ValueID
    ) throws(GraftError) -> ValueID {
        try add(.elementwise(.binary(function)), [left, right])
    }

    /// `function(left, right)` with a fixed number on the right.
    public mutating func binary(
        _ function: BinaryFunction, _ left: ValueID, _ right: Float
    ) throws(GraftError) -> ValueID {
        try binary(function, left, constant(right))
    }

    /// `function(left, right)` with a fixed number on the left.
    public mutating func binary(
        _ function: BinaryFunction, _ left: Float, _ right: ValueID
    ) throws(GraftError) -> ValueID {
        try binary(function, constant(left), right)
    }

    /// `whenTrue` where the condition is not zero, `whenFalse` elsewhere; all three are broadcast together.
    public mutating func select(
        _ condition: ValueID, _ whenTrue: ValueID, _ whenFalse: ValueID
    ) throws(GraftError) -> ValueID {
        try add(.elementwise(.select), [condition, whenTrue, whenFalse])
    }
}

/// `minimum(relu(x), limit)`: relu6 and its like. Taken as one function, its gradient needs nothing but its result.
extension Graph {
    /// The operand of such a function and the gradient with respect to it; `nil` for another node.
    mutating func cappedRectifierGradient(_ step: BackwardStep) throws(GraftError) -> (x: ValueID, gradient: ValueID)? {
        guard case .elementwise(.binary(.minimum)) = step.node.operation,
            case .elementwise(.unary(.relu)) = self[step.operand(0)].operation,
            let limit = scalarConstant(step.operand(1)), limit > 0
        else { return nil }
        let below = try select(binary(.greater, step.operand(1), step.value), step.gradient, constant(0))
        return (self[step.operand(0)].operands[0], try select(binary(.greater, step.value, 0), below, constant(0)))
    }
}
