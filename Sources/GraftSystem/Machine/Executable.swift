import Foundation

/// A program on this machine.
package struct Executable: Sendable, Equatable {
    package let path: String

    /// The program that a shell would start for a name.
    ///
    /// - Parameter searchPath: folders with `:` between them, as in `PATH`.
    package init?(named name: String, searchPath: String = ProcessInfo.processInfo.environment["PATH"] ?? "") {
        let candidates = searchPath.split(separator: ":").map { "\($0)/\(name)" }
        guard let path = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            return nil
        }
        self.path = path
    }

    /// What it prints on standard output; `nil` where it cannot be started or fails.
    package func output(of arguments: [String]) -> String? {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let bytes = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
