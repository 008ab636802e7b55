import GraftGraph

extension FillMode {
    /// The position inside an axis that stands for this one; `nil` where the constant does.
    func position(_ index: Int, count: Int) -> Int? {
        if index >= 0, index < count { return index }
        switch self {
        case .nearest: return min(max(index, 0), count - 1)
        case .constant: return nil
        case .wrap: return Self.remainder(index, count)
        case .reflect:
            let position = Self.remainder(index, 2 * count)
            return min(position, 2 * count - 1 - position)
        }
    }

    private static func remainder(_ value: Int, _ divisor: Int) -> Int {
        let remainder = value % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
