#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Functions of two numbers; comparisons give 1 or 0.
public enum BinaryFunction: Hashable, Sendable, CaseIterable {
    /// a + b
    case add
    /// a − b
    case subtract
    /// a · b
    case multiply
    /// a / b
    case divide
    /// The larger.
    case maximum
    /// The smaller.
    case minimum
    /// aᵇ
    case power
    /// a > b
    case greater
    /// a ≥ b
    case greaterOrEqual
    /// a = b
    case equal
}

extension BinaryFunction {
    /// The function's value in 64 bits.
    package func callAsFunction(_ a: Double, _ b: Double) -> Double {
        switch self {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .maximum: max(a, b)
        case .minimum: min(a, b)
        case .power: pow(a, b)
        case .greater: a > b ? 1 : 0
        case .greaterOrEqual: a >= b ? 1 : 0
        case .equal: a == b ? 1 : 0
        }
    }

    /// `gradient · ∂f/∂a` or `gradient · ∂f/∂b`, of the result's shape; nothing for a comparison.
    func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        try position == 0 ? leftGradient(step, in: &graph) : rightGradient(step, in: &graph)
    }

    private func leftGradient(_ step: BackwardStep, in graph: inout Graph) throws(GraftError) -> ValueID? {
        let (a, b, gradient) = (step.operand(0), step.operand(1), step.gradient)
        switch self {
        case .add, .subtract: return gradient
        case .multiply: return try graph.binary(.multiply, gradient, b)
        case .divide: return try graph.binary(.divide, gradient, b)
        case .maximum: return try graph.select(graph.binary(.greaterOrEqual, a, b), gradient, graph.constant(0))
        case .minimum: return try graph.select(graph.binary(.greaterOrEqual, b, a), gradient, graph.constant(0))
        case .power:
            let slope = try graph.binary(.multiply, b, graph.binary(.power, a, graph.binary(.subtract, b, 1)))
            return try graph.binary(.multiply, gradient, slope)
        case .greater, .greaterOrEqual, .equal: return nil
        }
    }

    private func rightGradient(_ step: BackwardStep, in graph: inout Graph) throws(GraftError) -> ValueID? {
        let (a, b, y, gradient) = (step.operand(0), step.operand(1), step.value, step.gradient)
        switch self {
        case .add: return gradient
        case .subtract: return try graph.unary(.negate, gradient)
        case .multiply: return try graph.binary(.multiply, gradient, a)
        case .divide:
            return try graph.unary(.negate, graph.binary(.divide, graph.binary(.multiply, gradient, y), b))
        case .maximum: return try graph.select(graph.binary(.greaterOrEqual, a, b), graph.constant(0), gradient)
        case .minimum: return try graph.select(graph.binary(.greaterOrEqual, b, a), graph.constant(0), gradient)
        case .power:
            // aᵇ · ln a, and 0 where a is not positive, as TensorFlow has it.
            let logarithm = try graph.select(
                graph.binary(.greater, a, 0), graph.unary(.logarithm, a), graph.constant(0))
            return try graph.binary(.multiply, gradient, graph.binary(.multiply, y, logarithm))
        case .greater, .greaterOrEqual, .equal: return nil
        }
    }
}
