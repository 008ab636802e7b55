/// What lies outside of an image, where a view looks there; Keras's `fill_mode`, with its names.
public enum FillMode: String, Codable, Hashable, Sendable, CaseIterable {
    /// The nearest pixel of the border: `aaaa|abcd|dddd`.
    case nearest
    /// The image mirrored at its border: `dcba|abcd|dcba`.
    case reflect
    /// A constant, ``Augmentation/fillValue``: `kkkk|abcd|kkkk`.
    case constant
    /// The image again: `abcd|abcd|abcd`.
    case wrap

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
