import Foundation

/// A failure that Graft explains: what it got, what it needs, how to mend it.
public struct GraftError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, for programs; more may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case shape, argument, file, format, weights, image, data, backend, state, cancelled
        }
        private let kind: Kind

        /// Shapes that do not fit one another, or a size that would be zero or negative.
        public static let shape = Code(kind: .shape)
        /// An argument outside its range, or a name that does not exist.
        public static let argument = Code(kind: .argument)
        /// The file system refused: missing, unreadable, full.
        public static let file = Code(kind: .file)
        /// A file that is not what it should be: damaged, truncated, hostile or of another format.
        public static let format = Code(kind: .format)
        /// Weights that do not fit the model they were meant for.
        public static let weights = Code(kind: .weights)
        /// An image that cannot be decoded.
        public static let image = Code(kind: .image)
        /// Training data that cannot be used: none, one class only, labels out of range.
        public static let data = Code(kind: .data)
        /// The compute backend refused an operation.
        public static let backend = Code(kind: .backend)
        /// A call at the wrong time, such as `fit` before `compile`.
        public static let state = Code(kind: .state)
        /// The user asked to stop.
        public static let cancelled = Code(kind: .cancelled)

        /// The kind's name.
        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// One sentence or two: what was received, what was expected, how to mend it.
    public let message: String
    /// The failure underneath, where there is one.
    public let cause: (any Error)?

    /// A failure of this kind.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message, with the cause after it.
    public var description: String { cause.map { "\(message) (\(Self.words($0)))" } ?? message }

    /// What a failure says for people. Those of Foundation describe themselves to programmers: `Error Domain=NSCocoaErrorDomain
    /// Code=640 …`.
    private static func words(_ cause: any Error) -> String {
        if let failure = cause as? GraftError { return failure.description }
        let name = String(reflecting: type(of: cause))
        guard ["NSError", "CocoaError", "URLError", "POSIXError"].contains(where: name.hasSuffix) else {
            return "\(cause)"
        }
        let failure = cause as NSError
        if let inner = failure.userInfo[NSUnderlyingErrorKey] as? any Error { return words(inner) }
        if failure.domain == NSPOSIXErrorDomain {
            return String(cString: strerror(Int32(failure.code))).lowercasedFirst
        }
        return failure.localizedDescription
    }

    /// The same failure with words in front that say where it happened: a file, a layer.
    public func inside(_ place: String) -> GraftError { GraftError(code, "\(place): \(message)", cause: cause) }
}

/// - Throws: `GraftError` with code `argument` where a count is not at least 1.
package func requirePositive(_ value: Int, _ name: String) throws(GraftError) {
    guard value > 0 else { throw GraftError(.argument, "\(name) is \(value); it must be 1 or more") }
}
