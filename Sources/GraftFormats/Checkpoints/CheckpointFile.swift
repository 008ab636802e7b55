import Foundation
import GraftModel
import Synchronization

/// A run of training in a file, the checkpoint before it next to it under the name with `.previous` after it.
///
/// A zip archive with two members, each with a checksum: `checkpoint.json`, the values, and `tensors.safetensors`, the
/// arrays (see ``SafetensorsMember``). It appears under its name when it is whole and on the disk; at every moment at
/// least one of the two files is whole.
package final class CheckpointFile: CheckpointStorage {
    /// The file.
    package let path: String
    private let ownership = Mutex(Ownership.none)

    /// What of that which is there belongs to the run that writes.
    private enum Ownership {
        case none
        case previousAlone
        case both
    }

    static let valuesName = "checkpoint.json"
    static let tensorsName = "tensors.safetensors"
    /// Sixteen characters an example, and the layers: room for ten million examples.
    static let valuesLimit = 256 << 20

    /// Checkpoints in this file.
    package init(_ path: String) { self.path = path }

    package var name: String { path }

    /// The file that holds the checkpoint before.
    package var previousPath: String { path + ".previous" }

    /// The file that holds what ``setAside()`` gave another name.
    package var asidePath: String { path + ".old" }

    // MARK: Writing

    package func write(_ checkpoint: Checkpoint) throws(GraftError) -> Int {
        let members = [
            ZipWriter.Member(Self.valuesName, bytes: checkpoint.values.json(), packed: true),
            ZipWriter.Member(Self.tensorsName, SafetensorsMember.stream(of: checkpoint.tensors)),
        ]
        let byteCount = KerasArchive.byteCount(of: members)
        let own = ownership.withLock(\.self)
        removePartials()
        try AtomicFile.write(to: path, byteCount: byteCount, keeping: own == .both ? previousPath : nil) {
            (temporary) throws(GraftError) in try ZipWriter.write(members, to: temporary)
        }
        // That of another run must not be taken for the one before this.
        if own == .none { unlink(previousPath) }
        ownership.withLock { $0 = .both }
        return byteCount
    }

    package func remove() {
        for path in [path, previousPath] { unlink(path) }
        removePartials()
    }

    private func removePartials() {
        for path in [path, previousPath] { AtomicFile.removePartials(of: path) }
    }

    /// Gives the checkpoints of an earlier run another name, so that a new one does not replace them.
    ///
    /// - Returns: the path that the newest has now; `nil` where there is none.
    package func setAside() -> String? {
        let target = asidePath
        for source in [path, previousPath] where Foundation.rename(source, target) == 0 {
            if source == path { unlink(previousPath) }
            return target
        }
        return nil
    }

    // MARK: Reading

    package func read() throws(GraftError) -> StoredCheckpoint? {
        try newest { (path) throws(GraftError) in try Self.checkpoint(in: path) }
            .map { StoredCheckpoint($0.value, name: $0.path, problem: $0.problem) }
    }

    /// The values of the newest checkpoint that is whole, without its arrays, whose checksum is looked at all the same;
    /// `nil` where there is none.
    package func values() throws(GraftError) -> Configuration? {
        try newest { (path) throws(GraftError) in try Self.values(in: path) }?.value
    }

    private func newest<Value>(
        _ read: (String) throws(GraftError) -> Value
    ) throws(GraftError) -> (value: Value, path: String, problem: GraftError?)? {
        let places = [path, previousPath].filter { (place: String) in access(place, F_OK) == 0 }
        var problem: GraftError?
        for place in places {
            do throws(GraftError) {
                let value = try read(place)
                ownership.withLock { $0 = place == path ? .both : .previousAlone }
                return (value, place, problem)
            } catch {
                problem = problem ?? error
            }
        }
        guard let problem else { return nil }
        let other = places.count > 1 ? ", and the one before it is of no use either" : ", and there is none before it"
        throw GraftError(
            problem.code, "the checkpoint cannot be used: \(problem.message)\(other); begin the training anew",
            cause: problem.cause)
    }

    private static func values(in path: String) throws(GraftError) -> Configuration {
        let archive = try ZipArchive(reading: path)
        let values = try values(of: archive)
        try archive.verify(tensorsName)
        return values
    }

    private static func values(of archive: ZipArchive) throws(GraftError) -> Configuration {
        let text = try archive.read(valuesName, limit: valuesLimit)
        do throws(GraftError) { return try Configuration(json: text) } catch { throw error.inside(archive.path) }
    }

    private static func checkpoint(in path: String) throws(GraftError) -> Checkpoint {
        let archive = try ZipArchive(reading: path)
        let values = try values(of: archive)
        if let slice = try archive.slice(tensorsName) {
            return Checkpoint(values: values, tensors: try SafetensorsMember.tensors(in: slice))
        }
        // Archives of 4 GB and more are not looked into: their members are copied out.
        return try TemporaryFolder.with { (folder) throws(GraftError) in
            let copy = folder + "/" + tensorsName
            try archive.extract(tensorsName, to: copy)
            let file = try File(reading: copy)
            let slice = try FileSlice(
                file, offset: 0, byteCount: UInt64(file.byteCount), name: archive.place(of: tensorsName))
            return Checkpoint(values: values, tensors: try SafetensorsMember.tensors(in: slice))
        }
    }
}

extension Checkpointing {
    /// Checkpoints in a file; the one before is next to it under the same name with `.previous` after it.
    ///
    /// - Parameters:
    ///   - path: the file; by custom its name ends in `.checkpoint`.
    ///   - interval: when a checkpoint is taken.
    ///   - resumes: whether a run continues from a checkpoint that is there; otherwise it begins anew and replaces it.
    ///   - keepsFile: whether the checkpoint stays after a complete run.
    public init(
        _ path: String, every interval: Interval = .epoch, resumes: Bool = true, keepsFile: Bool = false
    ) {
        self.init(storage: CheckpointFile(path), every: interval, resumes: resumes, keepsFile: keepsFile)
    }
}
