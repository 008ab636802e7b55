import GraftGraph

/// Writes rows into shards of a folder, a new shard where one is full.
///
/// Used by one thread. A row can be read when its shard is finished.
final class FeatureRecorder {
    private let folder: FeatureFolder
    private let shardAdded: () -> Void
    private var writer: FeatureShardWriter?
    private var pending: Set<FeatureKey> = []

    /// A recorder that says when the folder has another shard.
    init(folder: FeatureFolder, shardAdded: @escaping () -> Void = {}) {
        (self.folder, self.shardAdded) = (folder, shardAdded)
    }

    /// Adds an image's row, unless the folder has it.
    func append(_ row: UnsafeRawBufferPointer, key: FeatureKey) throws {
        guard !pending.contains(key), folder.location(of: key) == nil else { return }
        let writer = try self.writer ?? folder.makeWriter()
        self.writer = writer
        try writer.append(row, key: key)
        pending.insert(key)
        if writer.isFull { try finish() }
    }

    /// Completes the shard that is being written.
    func finish() throws {
        guard let writer else { return }
        self.writer = nil
        pending = []
        try folder.add(shardAt: writer.finish())
        shardAdded()
    }
}
