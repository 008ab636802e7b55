import Foundation

/// Large files that are not in the repository, looked for beside the package, or where `GRAFT_SHARED` says.
enum SharedFiles {
    /// The path of a file; `nil` where it is not there.
    static func path(_ name: String) -> String? {
        let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3).joined(separator: "/").dropFirst()
        let folder = ProcessInfo.processInfo.environment["GRAFT_SHARED"] ?? "\(root)/../shared"
        let path = "\(folder)/\(name)"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }
}
