/// Functions of one, two and three numbers.
extension Graph {
    mutating func propagateUnary(
        _ function: UnaryFunction, _ step: BackwardStep, into pass: inout BackwardPass
    ) throws(GraftError) {
        guard pass.wants(step.operand(0)), function != .sign else { return }
        try pass.contribute(unaryGradient(function, step), to: step.operand(0), in: &self)
    }

    /// `gradient · f′(x)`, written with `y = f(x)` where that is possible.
    private mutating func unaryGradient(
        _ function: UnaryFunction, _ step: BackwardStep
    ) throws(GraftError) -> ValueID {
        let (x, y, gradient) = (step.operand(0), step.value, step.gradient)
        switch function {
        case .negate: return try unary(.negate, gradient)
        case .absolute: return try binary(.multiply, gradient, unary(.sign, x))
        case .sign: return try broadcast(constant(0), to: step.node.shape)
        case .square: return try binary(.multiply, gradient, scaled(x, by: 2))
        case .squareRoot: return try binary(.divide, scaled(gradient, by: 0.5), y)
        case .reciprocalSquareRoot:
            let cube = try binary(.multiply, y, unary(.square, y))
            return try binary(.multiply, scaled(gradient, by: -0.5), cube)
        case .exponential: return try binary(.multiply, gradient, y)
        case .exponentialMinusOne: return try binary(.multiply, gradient, binary(.add, y, 1))
        case .logarithm: return try binary(.divide, gradient, x)
        case .logarithmOnePlus: return try binary(.divide, gradient, binary(.add, x, 1))
        case .relu: return try select(binary(.greater, y, 0), gradient, constant(0))
        case .sigmoid:
            return try binary(.multiply, gradient, binary(.multiply, y, binary(.subtract, 1, y)))
        case .tanh: return try binary(.multiply, gradient, binary(.subtract, 1, unary(.square, y)))
        case .errorFunction:
            let bell = try unary(.exponential, unary(.negate, unary(.square, x)))
            return try binary(.multiply, scaled(gradient, by: 1.128_379_167_095_512_6), bell)  // 2/√π
        }
    }

    mutating func propagateBinary(
        _ function: BinaryFunction, _ step: BackwardStep, into pass: inout BackwardPass
    ) throws(GraftError) {
        if let (x, limit) = cappedRectifier(step.node) {
            return try pass.contribute(cappedRectifierGradient(step, limit: limit), to: x, in: &self)
        }
        for (position, operand) in step.node.operands.enumerated() where pass.wants(operand) {
            let gradient =
                position == 0 ? try leftGradient(function, step) : try rightGradient(function, step)
            guard let gradient else { continue }
            try pass.contribute(reduced(gradient, to: shape(of: operand)), to: operand, in: &self)
        }
    }

    /// `gradient · ∂f/∂a` of the result's shape; nothing for a comparison.
    private mutating func leftGradient(
        _ function: BinaryFunction, _ step: BackwardStep
    ) throws(GraftError) -> ValueID? {
        let (a, b, gradient) = (step.operand(0), step.operand(1), step.gradient)
        switch function {
        case .add, .subtract: return gradient
        case .multiply: return try binary(.multiply, gradient, b)
        case .divide: return try binary(.divide, gradient, b)
        case .maximum: return try select(binary(.greaterOrEqual, a, b), gradient, constant(0))
        case .minimum: return try select(binary(.greaterOrEqual, b, a), gradient, constant(0))
        case .power:
            let slope = try binary(.multiply, b, binary(.power, a, binary(.subtract, b, 1)))
            return try binary(.multiply, gradient, slope)
        case .greater, .greaterOrEqual, .equal: return nil
        }
    }

    /// `gradient · ∂f/∂b` of the result's shape; nothing for a comparison.
    private mutating func rightGradient(
        _ function: BinaryFunction, _ step: BackwardStep
    ) throws(GraftError) -> ValueID? {
        let (a, b, y, gradient) = (step.operand(0), step.operand(1), step.value, step.gradient)
        switch function {
        case .add: return gradient
        case .subtract: return try unary(.negate, gradient)
        case .multiply: return try binary(.multiply, gradient, a)
        case .divide: return try unary(.negate, binary(.divide, binary(.multiply, gradient, y), b))
        case .maximum: return try select(binary(.greaterOrEqual, a, b), constant(0), gradient)
        case .minimum: return try select(binary(.greaterOrEqual, b, a), constant(0), gradient)
        case .power:
            // aᵇ · ln a, and 0 where a is not positive, as TensorFlow has it.
            let logarithm = try select(binary(.greater, a, 0), unary(.logarithm, a), constant(0))
            return try binary(.multiply, gradient, binary(.multiply, y, logarithm))
        case .greater, .greaterOrEqual, .equal: return nil
        }
    }

    mutating func propagateSelect(_ step: BackwardStep, into pass: inout BackwardPass) throws(GraftError) {
        let (condition, whenTrue, whenFalse) = (step.operand(0), step.operand(1), step.operand(2))
        if pass.wants(whenTrue) {
            let gradient = try select(condition, step.gradient, constant(0))
            try pass.contribute(reduced(gradient, to: shape(of: whenTrue)), to: whenTrue, in: &self)
        }
        if pass.wants(whenFalse) {
            let gradient = try select(condition, constant(0), step.gradient)
            try pass.contribute(reduced(gradient, to: shape(of: whenFalse)), to: whenFalse, in: &self)
        }
    }
}

/// `minimum(relu(x), limit)`: relu6 and its like. Taken as one function, its gradient needs nothing but its result.
extension Graph {
    private func cappedRectifier(_ node: Node) -> (x: ValueID, limit: ValueID)? {
        guard case .binary(.minimum) = node.operation, case .unary(.relu) = self[node.operands[0]].operation,
            let limit = scalarConstant(node.operands[1]), limit > 0
        else { return nil }
        return (self[node.operands[0]].operands[0], node.operands[1])
    }

    /// The gradient where `0 < y < limit`, nothing elsewhere.
    private mutating func cappedRectifierGradient(
        _ step: BackwardStep, limit: ValueID
    ) throws(GraftError) -> ValueID {
        let below = try select(binary(.greater, limit, step.value), step.gradient, constant(0))
        return try select(binary(.greater, step.value, 0), below, constant(0))
    }
}

extension Graph {
    /// The number of a constant of one element whose shape cannot change another's, or `nil`.
    func scalarConstant(_ value: ValueID) -> Float? {
        guard case .constant(let tensor) = self[value].operation, tensor.shape == [] else { return nil }
        return tensor[0]
    }

    /// A value times a number; a constant is multiplied at once.
    mutating func scaled(_ value: ValueID, by factor: Float) throws(GraftError) -> ValueID {
        if factor == 1 { return value }
        if let constant = scalarConstant(value) { return try self.constant(constant * factor) }
        return try binary(.multiply, value, factor)
    }

    /// A gradient summed over the axes along which an operand of this shape was repeated.
    mutating func reduced(_ gradient: ValueID, to shape: Shape) throws(GraftError) -> ValueID {
        let from = self.shape(of: gradient)
        let missing = from.rank - shape.rank
        let axes = (0..<from.rank).filter { $0 < missing || (shape[$0 - missing] == 1 && from[$0] != 1) }
        return try reshape(reduce(.sum, gradient, axes: axes, keepDimensions: true), to: shape)
    }
}
