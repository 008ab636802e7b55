import ArgumentParser
import Foundation
import Graft
import Synchronization

/// `graft fetch`
struct Fetch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Download and check published weights, or the photos of the demo.",
        discussion: """
            NAME is a base (see graft bases), or cats-and-dogs for the 3,000 photos of the tutorial. What is on this \
            machine already, in Graft's cache or in ~/.keras/models, is not downloaded again.

            Examples:
              graft fetch inception-v3
              graft fetch cats-and-dogs --output photos
            """)

    @Argument(help: "A base, or \(SampleImages.all.map(\.id).joined(separator: ", ")).")
    var name: String

    @Flag(help: "The weights with the classifier on top.")
    var top = false

    @Option(
        help: ArgumentHelp(
            "The rows and columns of the images, for networks with weights of their own for each size (MobileNets).",
            valueName: "pixels"))
    var inputSize: Int?

    @Option(
        name: [.long, .customShort("o")],
        help: ArgumentHelp("The folder that photos are unpacked into.", valueName: "folder"))
    var output = "."

    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func run() throws {
        let console = outputOptions.console
        console.outliveReader()
        try explain(on: console) {
            let fetching = Fetching(console: console)
            let sample = SampleImages.all.first { $0.id == name }
            let path =
                try sample.map { try fetching.fetch($0, into: output) }
                ?? fetching.fetch(weightsOf: name, top: top, size: inputSize)
            console.say(path)
            var object = JSONObject(event: "done")
            object.add("path", .string(path))
            console.emit(object)
        }
    }
}

/// Downloads with a progress bar.
struct Fetching {
    let console: Console
    /// Whether what is not on this machine is an error.
    var isOffline = false

    private var cache: FileCache {
        var cache = FileCache.standard()
        cache.isOffline = cache.isOffline || isOffline
        return cache
    }

    /// The path of a base's published weights on this machine, for square images of this size, checked; downloaded first
    /// where they are not there.
    func fetch(weightsOf base: String, top: Bool, size: Int? = nil) throws -> String {
        defer { console.closeProgressLine() }
        return try Base.named(base).fetchWeights(
            includeTop: top, inputShape: size.map { [$0, $0, 3] }, cache: cache, progress: show)
    }

    /// The folder of published pictures, downloaded and unpacked where it is not there.
    func fetch(_ sample: SampleImages, into folder: String) throws -> String {
        defer { console.closeProgressLine() }
        return try sample.fetch(into: folder, progress: show)
    }

    private var show: @Sendable (DownloadProgress) -> Void {
        let start = Mutex<(clock: Stopwatch, byteCount: Int64)?>(nil)
        return { [console] progress in
            let seconds = start.withLock { start -> Double? in
                let begun = start ?? (Stopwatch(), progress.receivedByteCount)
                start = begun
                return progress.secondsLeft(after: begun.clock.seconds, from: begun.byteCount)
            }
            var line = ProgressLine(progress)
            line.remaining = seconds.map { "\($0.asTimeLeft) left" } ?? ""
            console.progress(line)
        }
    }
}

extension DownloadProgress {
    /// How long the rest takes at the pace so far; `nil` in the first second and where nobody knows how much there is.
    fileprivate func secondsLeft(after elapsed: Double, from first: Int64) -> Double? {
        guard let total = totalByteCount, elapsed >= 1, receivedByteCount > first, total > receivedByteCount else {
            return nil
        }
        return elapsed * Double(total - receivedByteCount) / Double(receivedByteCount - first)
    }
}

extension ProgressLine {
    /// The line of a download, in millions of bytes.
    fileprivate init(_ progress: DownloadProgress) {
        let received = Double(progress.receivedByteCount) / 1e6
        let total = progress.totalByteCount.map { Double($0) / 1e6 } ?? 0
        self.init(
            title: progress.name, fraction: total > 0 ? received / total : 0,
            count: total > 0 ? "\(received.fixed(1))/\(total.fixed(1)) MB" : "\(received.fixed(1)) MB")
    }
}
