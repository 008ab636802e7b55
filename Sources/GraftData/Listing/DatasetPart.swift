/// What an example is for.
public enum DatasetPart: String, Sendable, Hashable, CaseIterable {
    /// To learn from.
    case training = "train"
    /// To choose by: when to stop, which of several trainings.
    case validation = "validation"
    /// To say how good what was chosen is; nothing is chosen by it.
    case test = "test"

    /// The names that folders and tables may call a part by, in lower case.
    public var names: [String] {
        switch self {
        case .training: ["train", "training"]
        case .validation: ["validation", "val", "valid"]
        case .test: ["test", "testing"]
        }
    }

    /// The part of a name, in whatever case; `nil` for any other.
    public init?(named name: String) {
        let name = name.lowercased()
        guard let part = Self.allCases.first(where: { $0.names.contains(name) }) else { return nil }
        self = part
    }
}
