import Foundation

/// A folder that goes with the object.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// A new one in the folder for temporary files.
    package init() {
        path = FileManager.default.temporaryDirectory.path + "/graft-tests-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
