/// A pattern for names: `*` stands for any characters, none included, and `?` for one.
struct NamePattern {
    let text: String
    private let pattern: [Character]

    init(_ text: String) { (self.text, pattern) = (text, Array(text)) }

    /// Whether the whole name fits. Time: the product of the lengths at most.
    func matches(_ name: String) -> Bool {
        let name = Array(name)
        var (position, next) = (0, 0)
        // The last star and where in the name the text after it was tried.
        var star: (pattern: Int, name: Int)?
        while position < name.count {
            if next < pattern.count, pattern[next] == "*" {
                star = (next, position)
                next += 1
            } else if next < pattern.count, pattern[next] == "?" || pattern[next] == name[position] {
                (position, next) = (position + 1, next + 1)
            } else if let last = star {
                star = (last.pattern, last.name + 1)
                (position, next) = (last.name + 1, last.pattern + 1)
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == "*" }
    }
}
