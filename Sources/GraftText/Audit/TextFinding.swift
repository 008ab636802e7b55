/// Something that an audit has to say about one text or about several together.
public struct TextFinding: Sendable, Hashable {
    /// What was found.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        // What cannot be used.
        /// Nothing but spaces.
        case empty
        /// A file that cannot be read, or is of another encoding than UTF-8.
        case unreadable

        // What harms training.
        /// The same text under two classes.
        case conflict
        /// The same text in two parts, such as training and test.
        case leak
        /// The same text more than once.
        case duplicate
        /// More tokens than the model reads: its end is cut off.
        case tooLong = "too_long"
        /// Characters that tell of a wrong encoding: U+FFFD, or UTF-8 that was read as Latin-1.
        case encoding
        /// A class with far more texts than another.
        case imbalance
        /// A text that nothing gives a class.
        case unlabelled

        // What is good to know.
        /// A file or folder that takes no part.
        case stray
    }

    /// How much it matters.
    public enum Severity: String, Sendable, Hashable {
        /// The text is left out.
        case unusable
        /// Training works, and its result is worse or seems better than it is.
        case problem
        /// Graft does the right thing.
        case note
    }

    /// What was found.
    public let kind: Kind
    /// The texts: one, or all that belong together, by their files or lines.
    public let names: [String]
    /// What exactly.
    public let detail: String

    /// How much it matters.
    public var severity: Severity { kind.severity }
}

extension TextFinding.Kind {
    /// How much it matters.
    public var severity: TextFinding.Severity {
        switch self {
        case .empty, .unreadable: .unusable
        case .conflict, .leak, .duplicate, .tooLong, .encoding, .imbalance, .unlabelled: .problem
        case .stray: .note
        }
    }

    /// What a report calls it.
    public var title: String {
        switch self {
        case .empty: "empty"
        case .unreadable: "unreadable"
        case .conflict: "the same text under several classes"
        case .leak: "the same text in several parts"
        case .duplicate: "the same text more than once"
        case .tooLong: "longer than the model reads"
        case .encoding: "of a wrong encoding"
        case .imbalance: "unequal classes"
        case .unlabelled: "without a class"
        case .stray: "stray"
        }
    }
}
