import Foundation
import Testing

/// Disks that tests mount for themselves.
private enum SmallDisk {
    static let unshare = URL(filePath: "/usr/bin/unshare")
    static let canBeMounted: Bool = {
        let process = Process()
        process.executableURL = unshare
        process.arguments = ["-m", "sh", "-c", "mount -t tmpfs -o size=100k none /mnt"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()
}

/// A disk that is full: what is said, and what is left. Disks of a few kilobytes are mounted in a namespace of the test's own.
@Suite(.enabled(if: SmallDisk.canBeMounted, "mounting needs rights that this user does not have"), .serialized)
struct FullDiskTests {
    private let folder: TemporaryFolder
    private let tool: GraftTool

    init() throws {
        folder = try TemporaryFolder()
        tool = GraftTool(folder: folder.url)
        try folder.drawPictures(["red": 12, "blue": 12], below: "photos")
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "small"), withIntermediateDirectories: true)
    }

    /// Runs the command where the folder `small` is a disk of so many kilobytes.
    private func run(
        _ arguments: [String], kilobytes: Int, environment: [String: String] = [:]
    ) throws -> GraftTool.Outcome {
        let script = "mount -t tmpfs -o size=\(kilobytes)k none small && exec \"$0\" \"$@\""
        return try tool.run(
            ["-m", "sh", "-c", script, GraftTool.executable.path] + arguments, environment: environment,
            by: SmallDisk.unshare)
    }

    @Test func aFullCacheEndsNoRun() throws {
        let cache = folder.url.appending(path: "small").path
        let outcome = try run(
            ["train", "photos", "--epochs", "1", "--output", "model.keras"], kilobytes: 20,
            environment: ["XDG_CACHE_HOME": cache])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            outcome.errors.contains("warning: features are not kept, so that the whole network runs at every step"),
            "\(outcome.errors)")
        #expect(try tool.run(["evaluate", "model.keras", "photos"]).status == 0)
    }

    /// A model that does not fit is said before an hour of training, with its own name.
    @Test(arguments: [
        ["--output", "small/model.keras"], ["--output", "model.keras", "--save-best", "small/best.keras"],
    ])
    func aModelThatDoesNotFitIsSaid(options: [String]) throws {
        let outcome = try run(["train", "photos", "--epochs", "2"] + options, kilobytes: 1000)
        #expect(outcome.status == 1, "\(outcome.errors)")
        let name = options.last ?? ""
        #expect(outcome.errors.contains("\(name) was not written: it needs about"), "\(outcome.errors)")
        #expect(outcome.errors.contains("make room or choose another folder"))
    }

    /// A disk that fills up while the run trains: there was room at its beginning.
    @Test func aFinishedModelIsRescuedFromADiskThatFilledUp() throws {
        // The whole disk is taken once the run has begun to print.
        let script =
            "mount -t tmpfs -o size=20000k none small && { \"$0\" \"$@\" & graft=$!; "
            + "(while ! grep -q 'epoch 1' log 2>/dev/null; do sleep 0.02; done; "
            + "head -c 19900000 /dev/zero > small/other) ; wait $graft; }"
        let outcome = try tool.run(
            ["-m", "sh", "-c", "(\(script)) > log"]
                + [GraftTool.executable.path, "train", "photos", "--epochs", "400", "--output", "small/model.keras"],
            by: SmallDisk.unshare)
        #expect(outcome.status == 1, "\(outcome.errors)")
        let log = try String(contentsOf: folder.url.appending(path: "log"), encoding: .utf8)
        let words = try #require(log.firstRange(of: "the model is in "), "\(log.suffix(500)) \(outcome.errors)")
        let path = log[words.upperBound...].prefix { $0 != " " }
        #expect(try tool.run(["evaluate", String(path), "photos"]).status == 0, "\(path)")
    }
}
