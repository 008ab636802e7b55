/// A file or folder that takes no part, and why.
public struct FileProblem: Sendable, Hashable, CustomStringConvertible {
    /// What it is instead of a labelled example.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Hidden, or left by an operating system or archive program.
        case hidden
        /// A file or folder that lies where none is looked for, or a file whose extension is another one.
        case stray
        /// A file beside the class folders, or a row without a label: nothing says what it shows.
        case unlabelled
        /// A folder of a class without a file of it.
        case emptyClass = "empty_class"
        /// A pipe, a device, a socket, a link that leads nowhere or back.
        case special
        /// A folder that cannot be listed, a name that is not UTF-8, a file that a table names and that is not there.
        case unreadable
    }

    /// Where it lies.
    public let path: String
    /// Why it is left out, such as "holds no pictures, so it is no class".
    public let reason: String
    /// What it is.
    public let kind: Kind

    package init(path: String, reason: String, _ kind: Kind) {
        (self.path, self.reason, self.kind) = (path, reason, kind)
    }

    /// The path and the reason.
    public var description: String { "\(path): \(reason)" }
}
