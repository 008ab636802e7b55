import Foundation
import GraftGraph
import Testing

@testable import GraftApplications

/// A server in memory: what it holds, how it answers, and what it was asked for.
final class FakeDownloader: Downloader, @unchecked Sendable {
    /// What may happen on the way.
    enum Behaviour {
        case whole
        /// The line breaks after this many bytes.
        case breaks(after: Int)
        /// Says that there are more bytes than come.
        case short
        case refuses
        /// Answers with this status, and asks to wait so many seconds.
        case answers(status: Int, pause: Double? = nil)
        /// Nobody knows the name of the server.
        case isNotFound
        /// Takes no notice of the offset that is asked for, as servers without ranges.
        case ignoresOffset
    }

    private let lock = NSLock()
    private let contents: Data
    private var behaviours: [Behaviour]
    private var asked: [Int64] = []

    /// Behaves one way per request, the last way from then on.
    init(_ contents: Data, _ behaviours: Behaviour...) {
        self.contents = contents
        self.behaviours = behaviours.isEmpty ? [.whole] : behaviours
    }

    /// The offsets that were asked for, in order.
    var requests: [Int64] { lock.withLock { asked } }

    func download(_ url: String, from offset: Int64, into sink: any DownloadSink) throws {
        let behaviour = lock.withLock {
            asked.append(offset)
            return behaviours.count > 1 ? behaviours.removeFirst() : behaviours[0]
        }
        switch behaviour {
        case .refuses:
            throw ServerRefusal(status: 404, pause: nil)
        case .answers(let status, let pause):
            throw ServerRefusal(status: status, pause: pause)
        case .isNotFound:
            throw URLError(.cannotFindHost)
        case .whole:
            try send(from: Int(offset), to: contents.count, of: contents.count, into: sink)
        case .ignoresOffset:
            try send(from: 0, to: contents.count, of: contents.count, into: sink)
        case .short:
            try send(from: Int(offset), to: contents.count, of: contents.count + 7, into: sink)
        case .breaks(let count):
            try send(from: Int(offset), to: Int(offset) + count, of: contents.count, into: sink)
            throw URLError(.networkConnectionLost)
        }
    }

    private func send(from start: Int, to end: Int, of total: Int, into sink: any DownloadSink) throws {
        try sink.begin(at: Int64(start), of: Int64(total))
        for position in stride(from: start, to: end, by: 100) {
            try sink.receive(contents[position..<min(position + 100, end)])
        }
    }
}

/// A folder that is gone when the test is over.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "graft-applications-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The names of what is in a folder within this one, hidden files included, in order.
    func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")) ?? []).sorted()
    }

    /// Writes a file, and the folders it needs.
    func write(_ contents: Data, to name: String) throws {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try contents.write(to: URL(fileURLWithPath: file))
    }
}
