/// Comparisons of two numbers.
public enum Comparison: Hashable, Sendable, CaseIterable {
    /// a < b
    case less
    /// a ≤ b
    case lessOrEqual
    /// a = b
    case equal
    /// a ≠ b
    case notEqual
    /// a > b
    case greater
    /// a ≥ b
    case greaterOrEqual
}

extension Graph {
    /// 1 where the comparison holds, 0 elsewhere, broadcast as numpy does: a condition for ``select(_:_:_:)``.
    ///
    /// All six are made of three functions that machines have. With a NaN on either side only `notEqual` holds. Nothing
    /// can be differentiated by what is compared.
    public mutating func compare(
        _ left: ValueID, _ comparison: Comparison, _ right: ValueID
    ) throws(GraftError) -> ValueID {
        switch comparison {
        case .less: try binary(.greater, right, left)
        case .lessOrEqual: try binary(.greaterOrEqual, right, left)
        case .equal: try binary(.equal, left, right)
        case .notEqual: try binary(.subtract, 1, binary(.equal, left, right))
        case .greater: try binary(.greater, left, right)
        case .greaterOrEqual: try binary(.greaterOrEqual, left, right)
        }
    }
}
