import GraftGraph

/// What images are grouped by: the text that a regular expression captures of their names.
struct GroupNames {
    private let expression: Regex<AnyRegexOutput>?
    private let pattern: String

    /// - Throws: `GraftError` with code `argument` where the pattern is no regular expression with one capture.
    init(_ pattern: String?) throws(GraftError) {
        self.pattern = pattern ?? ""
        guard let pattern else {
            expression = nil
            return
        }
        do {
            expression = try Regex(pattern)
        } catch {
            throw GraftError(.argument, "groups: '\(pattern)' is no regular expression: \(error)")
        }
        let captures = Self.captureCount(pattern)
        guard captures == 1 else {
            throw GraftError(
                .argument,
                "groups: '\(pattern)' has \(captures) captures and needs one, such as 'patient_(\\d+)' for all images of a patient"
            )
        }
    }

    /// The captured text of each name; `nil` where nothing matches or no pattern was given.
    ///
    /// - Throws: `GraftError` with code `argument` where the pattern matches no name at all.
    func names(of entries: [ImageListing.Entry]) throws(GraftError) -> [String?] {
        guard let expression else { return entries.map { _ in nil } }
        let names = entries.map { entry -> String? in
            guard let match = try? expression.firstMatch(in: entry.name), match.output.count > 1 else { return nil }
            return match.output[1].substring.map(String.init)
        }
        guard names.contains(where: { $0 != nil }) else {
            throw GraftError(
                .argument,
                "groups: '\(pattern)' matches none of the \(entries.count) paths, such as \(entries.first?.name ?? "")")
        }
        return names
    }

    /// The captures of an expression: its open brackets that are neither escaped, nor in a class of characters, nor marked as
    /// no capture.
    private static func captureCount(_ pattern: String) -> Int {
        var count = 0
        var isInClass = false
        var rest = pattern[...]
        while let character = rest.popFirst() {
            switch character {
            case "\\": rest = rest.dropFirst()
            case "[": isInClass = true
            case "]": isInClass = false
            case "(" where !isInClass:
                let isNamed = rest.hasPrefix("?<") && !rest.hasPrefix("?<=") && !rest.hasPrefix("?<!")
                if !rest.hasPrefix("?") || isNamed { count += 1 }
            default: break
            }
        }
        return count
    }
}
