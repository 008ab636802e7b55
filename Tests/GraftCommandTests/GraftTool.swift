import Foundation

/// The built command, run as a user runs it.
struct GraftTool {
    /// What a run printed and how it ended.
    struct Outcome: Equatable {
        var status: Int32
        var output: String
        var errors: String

        /// The lines of standard output.
        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    /// Where it runs, and where its caches are: nothing of this user's is read or written.
    let folder: URL

    /// Runs it to its end.
    ///
    /// - Parameters:
    ///   - environment: what is set beside what every run has.
    ///   - input: what standard input holds; nothing where `nil`.
    ///   - executable: another program that runs it; it has these arguments then.
    ///   - whileRunning: called with the process and the text so far until the process ends.
    func run(
        _ arguments: [String], environment: [String: String] = [:], input: Data? = nil, by executable: URL? = nil,
        whileRunning: ((Process, String) -> Void)? = nil
    ) throws -> Outcome {
        let run = folder.appending(path: "run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
        let (output, errors) = (run.appending(path: "output"), run.appending(path: "errors"))
        for file in [output, errors] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = executable ?? Self.executable
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = [
            "HOME": folder.path, "XDG_CACHE_HOME": folder.appending(path: "cache").path, "LANG": "C.UTF-8",
            "PATH": "/usr/bin:/bin", "TMPDIR": run.path,
        ].merging(environment) { _, new in new }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = FileHandle.nullDevice
        if let input {
            let file = run.appending(path: "input")
            try input.write(to: file)
            process.standardInput = try FileHandle(forReadingFrom: file)
        }
        try process.run()
        while let whileRunning, process.isRunning {
            whileRunning(process, (try? String(contentsOf: output, encoding: .utf8)) ?? "")
            Thread.sleep(forTimeInterval: 0.05)
        }
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }

    /// `graft` beside the tests.
    static var executable: URL {
        let bundle = Bundle.allBundles.first { $0.bundleURL.pathExtension == "xctest" }
        let tests = bundle?.bundleURL ?? Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        return tests.resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "graft")
    }
}

/// A folder that goes with the object.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "graft-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a file, with the folders above it.
    func write(_ data: Data, to path: String) throws {
        let file = url.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }

    func contents(of path: String) throws -> String {
        try String(contentsOf: url.appending(path: path), encoding: .utf8)
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: url.appending(path: path).path) }
}
