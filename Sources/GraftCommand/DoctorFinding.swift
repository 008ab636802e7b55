import GraftSystem

/// One thing that `graft doctor` looked at.
struct DoctorFinding {
    enum State: String {
        /// It is as it should be.
        case ok
        /// It is not, and Graft works without it.
        case lacking
        /// It is not, and Graft needs it.
        case missing
        /// Nobody looked.
        case notTried = "not_tried"

        /// At the beginning of a line.
        var mark: String {
            switch self {
            case .ok: "ok"
            case .lacking: "lacks"
            case .missing: "MISSING"
            case .notTried: "not tried"
            }
        }
    }

    let subject: String
    let state: State
    /// What was found, in words.
    let text: String
    /// The command that mends it, or what else does; `nil` where nothing has to be mended.
    let remedy: String?
    /// What was found, for programs.
    let details: [(name: String, value: JSONObject.Value)]

    init(
        _ subject: String, _ state: State = .ok, _ text: String, remedy: String? = nil,
        details: [(name: String, value: JSONObject.Value)] = []
    ) {
        (self.subject, self.state, self.text, self.remedy, self.details) = (subject, state, text, remedy, details)
    }

    /// For people: the finding, and under it what mends it.
    var lines: [String] {
        let column = Self.padded(state.mark, to: 11)
        let first = column + Self.padded(subject, to: 14) + text
        return [first] + (remedy.map { [String(repeating: " ", count: 25) + "mend: \($0)"] } ?? [])
    }

    /// For programs.
    var object: JSONObject {
        var object = JSONObject(event: "check")
        object.add("name", .string(subject))
        object.add("status", .string(state.rawValue))
        object.add("text", .string(text))
        object.add("remedy", remedy.map { .string($0) } ?? .null)
        for (name, value) in details { object.add(name, value) }
        return object
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
