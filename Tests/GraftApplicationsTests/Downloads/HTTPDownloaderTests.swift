import Foundation
import GraftGraph
import Testing

@testable import GraftApplications

@Suite struct HTTPDownloaderTests {
    private static let contents = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7919) })
    private let server: LocalServer
    init() throws { server = try LocalServer(Self.contents) }

    @Test func allBytesComeInOrder() throws {
        let sink = Sink()
        try HTTPDownloader().download(server.url + "/ranges", from: 0, into: sink)
        #expect(sink.bytes == Self.contents)
        #expect(sink.offset == 0)
        #expect(sink.total == Int64(Self.contents.count))
    }

    @Test func aRangeStartsWhereItWasAskedTo() throws {
        let sink = Sink()
        try HTTPDownloader().download(server.url + "/ranges", from: 123_456, into: sink)
        #expect(sink.bytes == Self.contents[123_456...])
        #expect(sink.offset == 123_456)
        #expect(sink.total == Int64(Self.contents.count))
    }

    @Test func aServerWithoutRangesStartsFromTheFirstByte() throws {
        let sink = Sink()
        try HTTPDownloader().download(server.url + "/whole", from: 123_456, into: sink)
        #expect(sink.bytes == Self.contents)
        #expect(sink.offset == 0)
    }

    @Test func anotherStatusIsNamed() {
        let error = #expect(throws: ServerRefusal.self) {
            try HTTPDownloader().download(server.url + "/elsewhere", from: 0, into: Sink())
        }
        #expect(error?.status == 404 && error?.mayPass == false)
    }

    @Test func aBusyServerSaysHowLongToWait() {
        let error = #expect(throws: ServerRefusal.self) {
            try HTTPDownloader().download(server.url + "/busy", from: 0, into: Sink())
        }
        #expect(error?.status == 503 && error?.pause == 3 && error?.mayPass == true)
    }

    @Test func aRedirectionIsFollowed() throws {
        let sink = Sink()
        try HTTPDownloader().download(server.url + "/moved", from: 0, into: sink)
        #expect(sink.bytes == Self.contents)
    }

    @Test func anotherRangeIsRefused() {
        let error = #expect(throws: GraftError.self) {
            try HTTPDownloader().download(server.url + "/other-range", from: 1000, into: Sink())
        }
        #expect(
            error?.message.contains("asked for the bytes from 1000 on and sends others (Content-Range: bytes 0-")
                == true)
    }

    /// Less than the length that was promised, and more.
    @Test func aWrongLengthIsFound() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.contents, to: "expected")
        let checksum = try Checksum.sha256(ofFileAt: folder.path + "/expected")
        for name in ["short", "long"] {
            let cache = FileCache(
                folder: folder.path + "/graft", downloader: HTTPDownloader(), retries: RetryPolicy(pauses: []))
            let file = PublishedFile(name, in: server.url + "/", checksum: checksum)
            #expect(throws: GraftError.self, "\(name)") { try cache.fetch(file) }
            #expect(!FileManager.default.fileExists(atPath: cache.path(of: file)))
        }
    }

    @Test func aServerThatSaysNothingIsGivenUp() {
        let start = ContinuousClock.now
        #expect(throws: URLError.self) {
            try HTTPDownloader(patience: 1).download(server.url + "/silent", from: 0, into: Sink())
        }
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func aLineThatBreaksTwiceStillBringsTheFile() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.contents, to: "expected")
        let checksum = try Checksum.sha256(ofFileAt: folder.path + "/expected")
        let cache = FileCache(
            folder: folder.path + "/graft", downloader: HTTPDownloader(), retries: RetryPolicy(pauses: [0, 0]))
        let path = try cache.fetch(PublishedFile("flaky", in: server.url + "/", checksum: checksum))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Self.contents)
    }

    @Test func aLineThatBreaksIsANetworkError() {
        #expect(throws: URLError.self) {
            try HTTPDownloader().download(server.url + "/broken", from: 0, into: Sink())
        }
    }

    @Test func aServerThatIsNotThereIsANetworkError() {
        #expect(throws: URLError.self) {
            try HTTPDownloader().download("http://127.0.0.1:1/file", from: 0, into: Sink())
        }
    }

    @Test func aSinkThatRefusesStopsTheDownload() {
        let error = #expect(throws: GraftError.self) {
            try HTTPDownloader().download(server.url + "/whole", from: 0, into: Sink(refuses: true))
        }
        #expect(error?.message == "the disk is full")
    }

    @Test func aWholeFetchGoesThroughTheCache() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.contents, to: "expected")
        let checksum = try Checksum.sha256(ofFileAt: folder.path + "/expected")
        let cache = FileCache(folder: folder.path + "/graft")
        let path = try cache.fetch(PublishedFile("ranges", in: server.url + "/", checksum: checksum))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Self.contents)
    }
}

/// Keeps what it is given.
private final class Sink: DownloadSink, @unchecked Sendable {  // read when the download is over
    private let refuses: Bool
    private(set) var bytes = Data()
    private(set) var offset: Int64?
    private(set) var total: Int64?

    init(refuses: Bool = false) { self.refuses = refuses }

    func begin(at offset: Int64, of total: Int64?) { (self.offset, self.total) = (offset, total) }

    func receive(_ bytes: Data) throws {
        guard !refuses else { throw GraftError(.file, "the disk is full") }
        self.bytes += bytes
    }
}
