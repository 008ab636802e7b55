import Foundation

/// How far a download has come.
public struct DownloadProgress: Hashable, Sendable {
    /// The file's name.
    public let name: String
    /// The bytes that are here.
    public let receivedByteCount: Int64
    /// The bytes that the whole file has, where the server says so.
    public let totalByteCount: Int64?
}

/// A download into a file that appears under its name only when it is whole.
///
/// The bytes go to `name.part`. Where the line breaks, or the server is busy or at fault, it is tried again after a pause
/// (`RetryPolicy`), counted anew whenever bytes came. A download that broke off continues from there the next time, if the file has a published
/// checksum to tell whether the pieces fit; one with a wrong checksum is deleted, and is not tried again by itself.
struct Download {
    let file: PublishedFile
    let destination: String
    let progress: (@Sendable (DownloadProgress) -> Void)?
    let retries: RetryPolicy

    private var partialPath: String { destination + ".part" }

    /// Brings the file; the caller holds the folder's lock.
    func run(with downloader: any Downloader) throws {
        if try !isAllHere() { try bringWithRetries(downloader) }
        guard rename(partialPath, destination) == 0 else {
            throw GraftError(
                .file, "\(partialPath) cannot be renamed to \(destination): \(String(cString: strerror(errno)))")
        }
        try file.note(checksumOfCopyAt: destination)
    }

    /// Whether an earlier download brought all bytes and was stopped before it gave them their name. Removes pieces that
    /// nothing can tell whether they fit.
    private func isAllHere() throws -> Bool {
        guard FileManager.default.fileExists(atPath: partialPath) else { return false }
        guard file.checksum != nil else {
            removePartialFile()
            return false
        }
        return try file.defect(ofCopyAt: partialPath) == nil
    }

    private func bringWithRetries(_ downloader: any Downloader) throws {
        var (tries, before) = (0, partialByteCount)
        while true {
            do {
                return try bring(with: downloader)
            } catch {
                let now = partialByteCount
                tries = now > before ? 1 : tries + 1
                before = now
                guard let pause = retries.pause(after: error, tries: tries) else { throw error }
                retries.sleep(pause)
            }
        }
    }

    private var partialByteCount: Int64 {
        ((try? FileManager.default.attributesOfItem(atPath: partialPath))?[.size] as? NSNumber)?.int64Value ?? 0
    }

    private func bring(with downloader: any Downloader) throws {
        do {
            let partial = try PartialFile(path: partialPath, name: file.name, progress: progress)
            defer { partial.close() }
            try downloader.download(file.url, from: partial.byteCount, into: partial)
            try partial.finish()
        } catch {
            // A server that cannot continue where the pieces end answers with an error: start afresh the next time.
            let mayContinue = error is URLError || (error as? ServerRefusal)?.mayPass == true
            if file.checksum == nil || !mayContinue { removePartialFile() }
            throw error
        }
        if let defect = try file.defect(ofCopyAt: partialPath) {
            removePartialFile()
            throw GraftError(.format, "what came from \(file.url) was deleted: \(defect)")
        }
    }

    private func removePartialFile() { try? FileManager.default.removeItem(atPath: partialPath) }
}

/// The file that a download writes to.
///
/// Sendable because a downloader calls it from one thread at a time, and `Download` only before and after.
private final class PartialFile: DownloadSink, @unchecked Sendable {
    private let path: String
    private let name: String
    private let progress: (@Sendable (DownloadProgress) -> Void)?
    private let handle: FileHandle
    private(set) var byteCount: Int64
    private var totalByteCount: Int64?

    /// Opens the file, or what an earlier download left of it.
    init(path: String, name: String, progress: (@Sendable (DownloadProgress) -> Void)?) throws {
        self.path = path
        self.name = name
        self.progress = progress
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw GraftError(.file, "\(path) cannot be created: \(String(cString: strerror(errno)))")
            }
        }
        handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        byteCount = Int64(try handle.seekToEnd())
    }

    func begin(at offset: Int64, of total: Int64?) throws {
        try checkSize(total ?? offset)
        try handle.truncate(atOffset: UInt64(offset))
        try handle.seek(toOffset: UInt64(offset))
        byteCount = offset
        totalByteCount = total
        report()
    }

    /// - Throws: `GraftError` with code `file` where the server has more than any published file: what it sends is checked
    ///   when it is whole, and must not fill the disk before.
    private func checkSize(_ byteCount: Int64) throws(GraftError) {
        guard byteCount <= PublishedFile.largestByteCount else {
            throw GraftError(
                .file,
                "the server sends \(Disk.text(byteCount: Int(byteCount))) or more; no published file has more than "
                    + Disk.text(byteCount: Int(PublishedFile.largestByteCount)))
        }
    }

    func receive(_ bytes: Data) throws {
        try checkSize(byteCount + Int64(bytes.count))
        do {
            try handle.write(contentsOf: bytes)
        } catch {
            throw GraftError(.file, "\(path) cannot be written; is the disk full?", cause: error)
        }
        byteCount += Int64(bytes.count)
        report()
    }

    /// Checks that all the bytes came, and that there are any.
    func finish() throws {
        guard byteCount > 0, byteCount == totalByteCount ?? byteCount else {
            let expected = totalByteCount.map { "\($0)" } ?? "some"
            throw GraftError(.file, "\(byteCount) bytes came where \(expected) were expected")
        }
    }

    func close() { try? handle.close() }

    private func report() {
        progress?(DownloadProgress(name: name, receivedByteCount: byteCount, totalByteCount: totalByteCount))
    }
}
