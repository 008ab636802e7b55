/// A file or folder that takes no part, and why.
public struct ImageProblem: Sendable, Hashable, CustomStringConvertible {
    /// Where it lies.
    public let path: String
    /// Why it is left out, such as "holds no pictures, so it is no class".
    public let reason: String

    /// The path and the reason.
    public var description: String { "\(path): \(reason)" }
}
