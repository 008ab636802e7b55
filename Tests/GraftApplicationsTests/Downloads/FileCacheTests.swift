import Foundation
import GraftGraph
import Synchronization
import Testing

@testable import GraftApplications

@Suite struct FileCacheTests {
    private static let contents = Data((0..<1000).map { UInt8($0 % 251) })
    /// md5 of `contents`: `bytes(i % 251 for i in range(1000))` in Python's hashlib.
    private static let checksum = Checksum.md5("a24f1e3ef66950e1327f210e3997ba2c")
    private static let file = PublishedFile("net.h5", in: "https://example.org/nets/", checksum: checksum)
    private static let signature = Data([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])

    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    /// Without a retry, so that each fault shows.
    private func cache(_ downloader: any Downloader, retries: RetryPolicy = RetryPolicy(pauses: [])) -> FileCache {
        FileCache(
            folder: folder.path + "/graft", kerasFolder: folder.path + "/keras", downloader: downloader,
            retries: retries)
    }

    /// The usual retries, which note how long they wait and do not.
    private func noting(_ pauses: Pauses) -> RetryPolicy { RetryPolicy(sleep: { pauses.append($0) }) }

    private func failure(fetching file: PublishedFile = file, from downloader: FakeDownloader) -> String {
        let error = #expect(throws: GraftError.self) { try cache(downloader).fetch(file) }
        #expect(error?.code == .file)
        return (error?.description ?? "").replacingOccurrences(of: folder.path, with: "~")
    }

    @Test func aFileComesWholeAndLeavesNothingElse() throws {
        let downloader = FakeDownloader(Self.contents)
        let path = try cache(downloader).fetch(Self.file)
        #expect(path == folder.path + "/graft/weights/net.h5")
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Self.contents)
        #expect(folder.names(in: "graft/weights") == [".lock", "net.h5", "net.h5.sha256"])
    }

    @Test func whatIsHereIsNotDownloadedAgain() throws {
        let downloader = FakeDownloader(Self.contents)
        _ = try cache(downloader).fetch(Self.file)
        _ = try cache(downloader).fetch(Self.file)
        #expect(downloader.requests == [0])
    }

    /// An MD5 is published, for which a second file can be made: what a copy was at first use must not change.
    @Test func aCopyIsHeldToTheSHA256OfItsFirstUse() throws {
        let path = folder.path + "/graft/weights/net.h5"
        try folder.write(Self.contents, to: "graft/weights/net.h5")
        let refusing = cache(FakeDownloader(Self.contents, .refuses))
        #expect(try refusing.find(Self.file) == path)
        let digits = try Checksum.sha256(ofFileAt: path).digits
        #expect(try String(contentsOfFile: path + ".sha256", encoding: .utf8) == "\(digits)  net.h5\n")
        let other = String(repeating: "0", count: 64)
        try folder.write(Data("\(other)  net.h5\n".utf8), to: "graft/weights/net.h5.sha256")
        #expect(try refusing.find(Self.file) == nil)
        let message = #expect(throws: GraftError.self) { try refusing.fetch(Self.file) }?.message ?? ""
        #expect(message.contains("it has sha256 \(digits), at its download it had sha256 \(other)"), "\(message)")
    }

    @Test(arguments: [true, false]) func moreThanAnyPublishedFileHasIsNotDownloaded(isDeclared: Bool) throws {
        let sink = OversizedDownloader(isDeclared: isDeclared)
        let message = #expect(throws: GraftError.self) { try cache(sink).fetch(Self.file) }?.message ?? ""
        #expect(message.contains("or more; no published file has more than 2.0 GB"), "\(message)")
        #expect(folder.names(in: "graft/weights") == [".lock"])
    }

    @Test func kerasFilesAreUsedWhereTheyAre() throws {
        try folder.write(Self.contents, to: "keras/models/net.h5")
        let downloader = FakeDownloader(Self.contents)
        #expect(try cache(downloader).find(Self.file) == folder.path + "/keras/models/net.h5")
        #expect(try cache(downloader).fetch(Self.file) == folder.path + "/keras/models/net.h5")
        #expect(downloader.requests.isEmpty)
    }

    @Test func progressEndsWithAllBytes() throws {
        let seen = Seen()
        _ = try cache(FakeDownloader(Self.contents)).fetch(Self.file) { seen.append($0) }
        #expect(seen.all.map(\.receivedByteCount) == Array(stride(from: 0, through: 1000, by: 100)))
        #expect(seen.all.allSatisfy { $0.totalByteCount == 1000 && $0.name == "net.h5" })
    }

    @Test func aBrokenDownloadGoesOnWhereItBroke() throws {
        let downloader = FakeDownloader(Self.contents, .breaks(after: 300), .whole)
        _ = failure(from: downloader)
        #expect(folder.names(in: "graft/weights") == [".lock", "net.h5.part"])
        let path = try cache(downloader).fetch(Self.file)
        #expect(downloader.requests == [0, 300])
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Self.contents)
    }

    @Test func aLineThatBreaksIsTakenUpAgain() throws {
        let (pauses, downloader) = (
            Pauses(), FakeDownloader(Self.contents, .breaks(after: 300), .breaks(after: 300), .whole)
        )
        let path = try cache(downloader, retries: noting(pauses)).fetch(Self.file)
        #expect(downloader.requests == [0, 300, 600] && pauses.all == [1, 1])
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Self.contents)
    }

    @Test func aServerAtFaultIsAskedAgainAfterLongerAndLongerPauses() throws {
        let pauses = Pauses()
        let downloader = FakeDownloader(
            Self.contents, .breaks(after: 300), .answers(status: 503), .answers(status: 429, pause: 7),
            .answers(status: 500), .whole)
        _ = try cache(downloader, retries: noting(pauses)).fetch(Self.file)
        #expect(downloader.requests == [0, 300, 300, 300, 300] && pauses.all == [1, 2, 7, 8])
    }

    @Test func whatDoesNotPassIsNotTriedAgain() throws {
        let cases: [(FakeDownloader.Behaviour, String)] = [
            (.refuses, "status 404"), (.answers(status: 501), "status 501"), (.answers(status: 403), "status 403"),
            (.answers(status: 503, pause: 3600), "status 503"), (.isNotFound, "net.h5 is needed"),
        ]
        for (behaviour, words) in cases {
            let (pauses, downloader) = (Pauses(), FakeDownloader(Self.contents, behaviour))
            let message = #expect(throws: GraftError.self) {
                try cache(downloader, retries: noting(pauses)).fetch(Self.file)
            }?.message
            #expect(message?.contains(words) == true && pauses.all.isEmpty, "\(message ?? "")")
        }
    }

    @Test func aServerThatIsAlwaysBusyIsGivenUp() throws {
        let (pauses, downloader) = (Pauses(), FakeDownloader(Self.contents, .answers(status: 503)))
        let message = #expect(throws: GraftError.self) {
            try cache(downloader, retries: noting(pauses)).fetch(Self.file)
        }?.message
        #expect(message?.contains("status 503") == true && pauses.all == [1, 2, 4, 8])
    }

    @Test func offlineNothingIsAskedFor() throws {
        let downloader = FakeDownloader(Self.contents)
        var offline = cache(downloader)
        offline.isOffline = true
        let message = #expect(throws: GraftError.self) { try offline.fetch(Self.file) }?.message
        #expect(message?.contains("nothing is downloaded while --offline or GRAFT_OFFLINE is given") == true)
        #expect(message?.contains("put it at") == true && downloader.requests.isEmpty)
        try folder.write(Self.contents, to: "keras/models/net.h5")
        #expect(try offline.fetch(Self.file) == folder.path + "/keras/models/net.h5")
        #expect(FileCache.standard(environment: ["GRAFT_OFFLINE": "1"]).isOffline)
        #expect(!FileCache.standard(environment: ["GRAFT_OFFLINE": "0"]).isOffline)
    }

    @Test func whatWasBroughtWholeOnlyNeedsItsName() throws {
        try folder.write(Self.contents, to: "graft/weights/net.h5.part")
        let downloader = FakeDownloader(Self.contents, .refuses)
        _ = try cache(downloader).fetch(Self.file)
        #expect(downloader.requests.isEmpty)
        #expect(folder.names(in: "graft/weights") == [".lock", "net.h5", "net.h5.sha256"])
    }

    @Test func aServerWithoutRangesIsHeardFromTheStart() throws {
        let downloader = FakeDownloader(Self.contents, .breaks(after: 300), .ignoresOffset)
        _ = failure(from: downloader)
        let path = try cache(downloader).fetch(Self.file)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Self.contents)
    }

    @Test func withoutAChecksumABrokenDownloadStartsAfresh() throws {
        let file = PublishedFile("net.h5", in: "https://example.org/nets/")
        let downloader = FakeDownloader(Self.signature + Self.contents, .breaks(after: 300), .whole)
        _ = failure(fetching: file, from: downloader)
        #expect(folder.names(in: "graft/weights") == [".lock"])
        _ = try cache(downloader).fetch(file)
        #expect(downloader.requests == [0, 0])
    }

    @Test func aWrongChecksumIsSaidOnceAndNothingIsKept() throws {
        let downloader = FakeDownloader(Data("<html>please log in</html>".utf8))
        #expect(
            failure(from: downloader) == """
                net.h5 is needed and could not be downloaded: what came from https://example.org/nets/net.h5 was deleted: \
                it has md5 ddca5812edd042a836c9954213ce33cb, published is \(Self.checksum). \
                Get it from https://example.org/nets/net.h5 and put it at ~/graft/weights/net.h5 or ~/keras/models/net.h5
                """)
        #expect(downloader.requests == [0])
        #expect(folder.names(in: "graft/weights") == [".lock"])
    }

    @Test func whereNothingHelpsOneMessageSaysWhatToDo() throws {
        try folder.write(Data("<html>please log in</html>".utf8), to: "keras/models/net.h5")
        #expect(
            failure(from: FakeDownloader(Data(), .refuses)) == """
                net.h5 is needed and could not be downloaded: the server answered with status 404; \
                ~/keras/models/net.h5 was not used: it has md5 ddca5812edd042a836c9954213ce33cb, published is \(Self.checksum). \
                Get it from https://example.org/nets/net.h5 and put it at ~/graft/weights/net.h5 or ~/keras/models/net.h5
                """)
        #expect(folder.names(in: "keras/models") == ["net.h5"])
    }

    @Test func aDamagedCopyInTheCacheIsReplaced() throws {
        try folder.write(Self.contents.dropLast(), to: "graft/weights/net.h5")
        let path = try cache(FakeDownloader(Self.contents)).fetch(Self.file)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Self.contents)
    }

    @Test func tooFewBytesAreNoFile() {
        #expect(
            failure(from: FakeDownloader(Self.contents, .short))
                .contains("1000 bytes came where 1007 were expected"))
        #expect(
            failure(fetching: PublishedFile("a.h5", in: "https://example.org/"), from: FakeDownloader(Data()))
                .contains("0 bytes came"))
    }

    @Test func aFileWithoutChecksumIsNotedAndHeldToItsNote() throws {
        let file = PublishedFile("net.h5", in: "https://example.org/nets/")
        let downloader = FakeDownloader(Self.signature + Self.contents)
        let path = try cache(downloader).fetch(file)
        let noted = try Checksum.sha256(ofFileAt: path).digits
        #expect(try String(contentsOfFile: path + ".sha256", encoding: .utf8) == "\(noted)  net.h5\n")
        try folder.write(Self.signature, to: "graft/weights/net.h5")
        #expect(try cache(downloader).find(file) == nil)
        _ = try cache(downloader).fetch(file)
        #expect(downloader.requests == [0, 0])
    }

    @Test func withoutAChecksumTheFormatIsChecked() {
        let page = FakeDownloader(Data("<html>please log in</html>".utf8))
        let weights = PublishedFile("net.h5", in: "https://example.org/nets/")
        #expect(failure(fetching: weights, from: page).contains("was deleted: it is not an HDF5 file"))
        let archive = PublishedFile("photos.zip", in: "https://example.org/", format: .zip)
        #expect(
            failure(fetching: archive, from: page).contains("was deleted: it is not a zip archive that can be read"))
        #expect(folder.names(in: "graft/data") == [".lock"])
    }

    @Test func aFolderThatCannotBeMadeIsExplained() throws {
        try folder.write(Data(), to: "graft")
        #expect(failure(from: FakeDownloader(Self.contents)).contains("put it at ~/graft/weights/net.h5"))
    }

    @Test func theUsersFoldersFollowTheEnvironment() {
        let plain = FileCache.standard(environment: ["HOME": "/home/ada"])
        #if os(macOS)
            #expect(plain.folder == "/home/ada/Library/Caches/graft")
        #else
            #expect(plain.folder == "/home/ada/.cache/graft")
        #endif
        #expect(plain.kerasFolder == "/home/ada/.keras")
        let moved = FileCache.standard(environment: ["HOME": "/home/ada", "XDG_CACHE_HOME": "/big", "KERAS_HOME": "/k"])
        #expect(moved.folder == "/big/graft")
        #expect(moved.kerasFolder == "/k")
        let relative = FileCache.standard(environment: ["HOME": "/home/ada", "XDG_CACHE_HOME": "big"])
        #expect(relative.folder == plain.folder)
    }

    @Test func manyAtOnceDownloadOnce() async throws {
        let downloader = FakeDownloader(Self.contents)
        let cache = cache(downloader)
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<4 { group.addTask { try cache.fetch(Self.file) } }
            for try await path in group { #expect(path == folder.path + "/graft/weights/net.h5") }
        }
        #expect(downloader.requests == [0])
    }
}

/// What a progress callback was told.
private final class Seen: @unchecked Sendable {
    private let lock = NSLock()
    private var seen: [DownloadProgress] = []
    var all: [DownloadProgress] { lock.withLock { seen } }
    func append(_ progress: DownloadProgress) { lock.withLock { seen.append(progress) } }
}

/// A server that sends without end, and may say so; it begins shortly before the limit, so that the test writes little.
private struct OversizedDownloader: Downloader {
    let isDeclared: Bool

    func download(_ url: String, from offset: Int64, into sink: any DownloadSink) throws {
        try sink.begin(
            at: PublishedFile.largestByteCount - 10, of: isDeclared ? PublishedFile.largestByteCount + 1 : nil)
        while true { try sink.receive(Data(count: 100)) }
    }
}

/// Pauses that nobody waited for.
private final class Pauses: Sendable {
    private let seconds = Mutex<[Double]>([])
    var all: [Double] { seconds.withLock { $0 } }
    func append(_ pause: Double) { seconds.withLock { $0.append(pause) } }
}
