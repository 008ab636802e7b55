import Foundation
import GraftGraph
import Synchronization

/// The features of one trunk: a folder of shards, and an index of their rows.
///
/// Several processes may use one folder at once: each reads the shards that it found when it opened the folder and adds
/// shards of its own, whole and under new names. Both may compute the same image; then one row is kept twice, which
/// costs space and no more. A shared lock on the file `lock` says that the folder is in use; its time says when it was
/// last used.
///
/// Rows are read with positioned reads into the batch rather than mapped: mapped pages count as this process's memory
/// as they are touched, so that memory would grow with the number of images; read ones live in the system's cache.
final class FeatureFolder: Sendable {
    static let shardSuffix = ".features"
    static let partialSuffix = ".partial"
    /// Shards beyond this number are opened for each read: many systems allow a process 1,024 files.
    static let openFileLimit = 128
    /// A run that is killed loses the shard that it was writing: seconds of a trunk's work.
    static let rowLimitOfShards = 512

    /// Which row of which shard.
    struct Location: Hashable, Sendable {
        var shard: Int32
        var row: Int32
    }

    let path: String
    let rowByteCount: Int
    /// How many bytes of shards stay when the run ends.
    private let byteLimit: Int
    private let lock: File
    private let isTemporary: Bool
    private let content = Mutex(Content())

    private struct Content {
        var shards: [FeatureShard?] = []
        var index: [FeatureKey: Location] = [:]
        /// Those of shards that stay.
        var byteCount = 0
    }

    /// Opens the folder of a trunk, or makes it; shards that are damaged or of an older format, and shards that a process
    /// left half-written when it ended, are removed.
    ///
    /// - Parameters:
    ///   - rowByteCount: the bytes of a row that is not packed.
    ///   - byteLimit: how much the folder may hold; shards beyond it serve this object and go with it.
    ///   - isTemporary: whether the folder goes when this object does.
    init(path: String, rowByteCount: Int, byteLimit: Int = .max, isTemporary: Bool = false) throws {
        (self.path, self.rowByteCount) = (path, rowByteCount)
        (self.byteLimit, self.isTemporary) = (byteLimit, isTemporary)
        lock = try Self.lockFolder(path)
        for name in Self.names(in: path) {
            let file = "\(path)/\(name)"
            if name.hasSuffix(Self.partialSuffix) {
                Self.removeIfAbandoned(file)
            } else if name.hasSuffix(Self.shardSuffix) {
                // One that cannot be opened now may be whole.
                do { try add(shardAt: file, mayStay: true) } catch {
                    if (error as? GraftError)?.code == .format { unlink(file) }
                }
            }
        }
    }

    deinit {
        if isTemporary { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Where an image's row is, if it is there.
    func location(of key: FeatureKey) -> Location? { content.withLock { $0.index[key] } }

    /// Reads a row.
    ///
    /// - Throws: `GraftError` with code `format` where it is damaged.
    func read(
        _ location: Location, into buffer: UnsafeMutableRawBufferPointer, scratch: RowScratch = RowScratch()
    ) throws {
        try presentShard(location).read(row: Int(location.row), into: buffer, scratch: scratch)
    }

    /// Reads a row as it is in its file; see ``entry(of:)``.
    ///
    /// - Throws: `GraftError` with code `format` where it is damaged.
    func readPacked(_ location: Location, into buffer: UnsafeMutableRawBufferPointer) throws {
        try presentShard(location).readPacked(row: Int(location.row), into: buffer)
    }

    /// How a row is in its file.
    func entry(of location: Location) throws -> ShardTable.Entry {
        try presentShard(location).entry(row: Int(location.row))
    }

    /// Reads rows; a shard with a damaged one is removed, with all its rows.
    func removeDamaged(among keys: some Sequence<FeatureKey>) {
        let row = UnsafeMutableRawBufferPointer.allocate(byteCount: rowByteCount, alignment: 64)
        defer { row.deallocate() }
        let scratch = RowScratch()
        for key in keys {
            guard let location = location(of: key) else { continue }
            do { try read(location, into: row, scratch: scratch) } catch { remove(shard: location.shard) }
        }
    }

    /// A writer for a new shard.
    func makeWriter() throws -> FeatureShardWriter {
        try FeatureShardWriter(
            folder: path, rowByteCount: rowByteCount,
            // Files without names are open all the time and lost anyway, so they had better be few.
            rowLimit: isTemporary ? ShardTable.rowLimit : Self.rowLimitOfShards)
    }

    /// Adds a finished shard's rows to the index; of an image's rows the first one found holds.
    ///
    /// - Parameter mayStay: whether it may be beyond the limit, as one that was found may.
    /// - Throws: `GraftError` where the file is damaged.
    func add(shardAt path: String, mayStay: Bool = false) throws {
        try content.withLock { content in
            let number = content.shards.count
            let byteCount = Disk.byteCount(ofFileAt: path)
            // Unlinked at once, so that nothing is left whatever ends the process.
            let goes = isTemporary || (!mayStay && content.byteCount + byteCount > byteLimit)
            let shard = try FeatureShard(
                path: path, rowByteCount: rowByteCount, staysOpen: goes || number < Self.openFileLimit)
            if goes { unlink(path) } else { content.byteCount += byteCount }
            content.shards.append(shard)
            for (row, key) in shard.keys.enumerated() where content.index[key] == nil {
                content.index[key] = Location(shard: Int32(number), row: Int32(row))
            }
        }
    }

    private func presentShard(_ location: Location) throws -> FeatureShard {
        guard let shard = content.withLock({ $0.shards[Int(location.shard)] }) else {
            throw GraftError(.state, "the features in \(path) were removed while they were read")
        }
        return shard
    }

    private func remove(shard number: Int32) {
        content.withLock { content in
            guard let shard = content.shards[Int(number)] else { return }
            unlink(shard.path)
            content.shards[Int(number)] = nil
            content.index = content.index.filter { $0.value.shard != number }
            // An image whose row went may have another one in a shard that came later.
            for (other, shard) in content.shards.enumerated() {
                for (row, key) in (shard?.keys ?? []).enumerated() where content.index[key] == nil {
                    content.index[key] = Location(shard: Int32(other), row: Int32(row))
                }
            }
        }
    }

    // MARK: Opening

    /// Takes the shared lock. The folder may be removed by another process between making and locking it; then the
    /// lock is one on a file that is gone, and the folder is made again.
    private static func lockFolder(_ path: String) throws -> File {
        for _ in 0..<100 {
            try Disk.makeFolder(path)
            guard let lock = try? File(ensuring: lockPath(path)) else { continue }
            _ = try lock.lock(exclusively: false, waiting: true)
            guard lock.isInPlace else { continue }
            utimes(lock.path, nil)
            return lock
        }
        throw GraftError(
            .file,
            "cannot keep features in \(path): the folder cannot be written to, or goes as soon as it is made; "
                + "choose another folder for features")
    }

    static func lockPath(_ folder: String) -> String { "\(folder)/lock" }

    static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    private static func removeIfAbandoned(_ path: String) {
        guard let file = try? File(reading: path), (try? file.lock(exclusively: true, waiting: false)) == true else {
            return
        }
        unlink(path)
    }
}
