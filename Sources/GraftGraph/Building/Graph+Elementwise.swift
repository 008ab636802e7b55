/// Functions of single numbers, applied to each element.
extension Graph {
    /// `function(operand)`, of the operand's shape.
    public mutating func unary(_ function: UnaryFunction, _ operand: ValueID) throws(GraftError) -> ValueID {
        try add(.unary(function), [operand])
    }

    /// `function(left, right)`, broadcast as numpy does.
    public mutating func binary(
        _ function: BinaryFunction, _ left: ValueID, _ right: ValueID
    ) throws(GraftError) -> ValueID {
        try add(.binary(function), [left, right])
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
        try add(.select, [condition, whenTrue, whenFalse])
    }
}
