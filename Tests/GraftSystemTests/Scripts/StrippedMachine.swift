import Foundation

/// This machine as `Scripts/install-libraries` sees it, without some of what is there.
struct StrippedMachine {
    /// What a run of the script came to.
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    private let folder: TemporaryFolder
    private var tools: String { folder.path + "/tools" }
    private var packages: String { folder.path + "/packages" }

    /// Tools that the script uses and that every system has.
    private static let ordinaryTools = ["bash", "awk", "cut", "env", "grep", "id", "paste", "sed", "uname"]

    /// A machine with this one's pkg-config files, whose only tools are those that the script needs.
    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/tools", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder.path + "/packages", withIntermediateDirectories: true)
        for tool in Self.ordinaryTools + ["pkg-config", "cc"] { try link(tool) }
        for path in try Self.packageFolders() {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            where name.hasSuffix(".pc") && !FileManager.default.fileExists(atPath: "\(packages)/\(name)") {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(packages)/\(name)", withDestinationPath: "\(path)/\(name)")
            }
        }
    }

    /// Takes a package's `.pc` file away.
    func remove(package: String) throws { try FileManager.default.removeItem(atPath: "\(packages)/\(package).pc") }

    func remove(tool: String) throws { try FileManager.default.removeItem(atPath: "\(tools)/\(tool)") }

    /// Puts a shell script in a tool's place. `$packages` in it is the folder of pkg-config files.
    func add(tool: String, doing script: String) throws {
        try? FileManager.default.removeItem(atPath: "\(tools)/\(tool)")
        try folder.write(
            "#!\(tools)/bash\npackages='\(packages)'\n\(script)\n", to: "tools/\(tool)", isExecutable: true)
    }

    /// A compiler that finds no header of the system.
    func hideHeaders() throws { try add(tool: "cc", doing: "exec \(Self.path(of: "cc")) -nostdinc \"$@\"") }

    /// What a tool of `add(tool:doing:)` wrote into `$packages/log`.
    var log: String { (try? String(contentsOfFile: packages + "/log", encoding: .utf8)) ?? "" }

    func runScript(_ arguments: String...) throws -> Outcome {
        let script = URL(filePath: #filePath).appending(path: "../../../../Scripts/install-libraries").standardized.path
        return try Self.run(
            "\(tools)/bash", [script] + arguments,
            environment: ["PATH": tools, "PKG_CONFIG_LIBDIR": packages, "PKG_CONFIG_PATH": "", "LC_ALL": "C"])
    }

    private func link(_ tool: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: "\(tools)/\(tool)", withDestinationPath: try Self.path(of: tool))
    }

    private static func path(of tool: String) throws -> String {
        try run("/usr/bin/env", ["bash", "-c", "command -v \(tool)"]).output.trimmingCharacters(in: .newlines)
    }

    private static func packageFolders() throws -> [String] {
        let found = try run("/usr/bin/env", ["pkg-config", "--variable", "pc_path", "pkg-config"]).output
        let own = ProcessInfo.processInfo.environment["PKG_CONFIG_PATH"] ?? ""
        return (own + ":" + found).split(whereSeparator: { ":\n".contains($0) }).map(String.init)
    }

    private static func run(
        _ executable: String, _ arguments: [String], environment: [String: String]? = nil
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        if let environment { process.environment = environment }
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // Both are short: neither fills its pipe while the other is read.
        let texts = [output, errors].map {
            String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        process.waitUntilExit()
        return Outcome(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
}
