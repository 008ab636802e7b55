import GraftGraph
import GraftModel

/// Reads the values of a checkpoint; what does not fit is an error that names its place.
package struct StoredValues {
    private let values: Configuration
    private let place: String

    package init(_ values: Configuration, place: String = "") { (self.values, self.place) = (values, place) }

    /// The value of a member as it is, `nil` where there is none.
    package subscript(key: String) -> Configuration? { values[key] }

    /// All members by name.
    package var members: [String: Configuration] { values.members ?? [:] }

    /// An error about a member.
    package func wrong(_ key: String, _ problem: String) -> GraftError {
        GraftError(.format, "the checkpoint cannot be understood: \(place)\(key) \(problem)")
    }

    /// A member that is an object.
    package func part(_ key: String) throws(GraftError) -> StoredValues {
        guard let part = values[key], part.members != nil else { throw wrong(key, "is no object") }
        return StoredValues(part, place: "\(place)\(key).")
    }

    /// A list.
    package func elements(_ key: String) throws(GraftError) -> [Configuration] {
        guard let elements = values[key]?.elements else { throw wrong(key, "is no list") }
        return elements
    }

    /// A whole number of this range.
    package func integer(_ key: String, in range: ClosedRange<Int>) throws(GraftError) -> Int {
        guard let number = values[key]?.integer, range.contains(number) else {
            throw wrong(key, "is no whole number of \(range)")
        }
        return number
    }

    /// Whole numbers of this range.
    package func integers(_ key: String, in range: Range<Int>) throws(GraftError) -> [Int] {
        let elements = try elements(key)
        let numbers = elements.compactMap(\.integer).filter(range.contains)
        guard numbers.count == elements.count else { throw wrong(key, "holds other things than numbers of \(range)") }
        return numbers
    }

    /// A number.
    package func number(_ key: String) throws(GraftError) -> Double {
        guard let number = values[key]?.number else { throw wrong(key, "is no number") }
        return number
    }

    /// A truth value.
    package func flag(_ key: String) throws(GraftError) -> Bool {
        guard let flag = values[key]?.flag else { throw wrong(key, "is neither true nor false") }
        return flag
    }

    /// Text.
    package func text(_ key: String) throws(GraftError) -> String {
        guard let text = values[key]?.text else { throw wrong(key, "is no text") }
        return text
    }
}
