/// What a run of training needs to continue as if nothing had happened: small values and arrays, both by name.
///
/// What the names mean is training's affair; a ``CheckpointStorage`` keeps every bit of them and gives it back.
package struct Checkpoint: Sendable {
    /// Settings, counters, positions: an object.
    package var values: Configuration
    /// Variables and what is kept next to them; shared with whoever else holds them, never copied.
    package var tensors: [String: Tensor]

    /// A checkpoint of these values and arrays.
    package init(values: Configuration, tensors: [String: Tensor]) {
        (self.values, self.tensors) = (values, tensors)
    }
}

/// A checkpoint as a storage gives it back.
package struct StoredCheckpoint: Sendable {
    /// What was kept.
    package var checkpoint: Checkpoint
    /// Where it was: the newest, or the one before where the newest cannot be used.
    package var name: String
    /// What is wrong with the newest, where the one before was taken.
    package var problem: GraftError?

    /// A checkpoint from this place.
    package init(_ checkpoint: Checkpoint, name: String, problem: GraftError? = nil) {
        (self.checkpoint, self.name, self.problem) = (checkpoint, name, problem)
    }
}

/// Where checkpoints are kept.
///
/// The seam between training, which knows what a run is and no file format, and formats, which know files and no runs:
/// it is in the room that both see, as ``Dataset`` does.
package protocol CheckpointStorage: Sendable {
    /// What messages call it: a path.
    var name: String { get }

    /// Keeps a checkpoint, and the one before it next to it. Where this fails, what was kept before stays. Called from
    /// any thread, one call at a time.
    ///
    /// - Returns: the number of bytes that were written.
    func write(_ checkpoint: Checkpoint) throws(GraftError) -> Int

    /// The newest checkpoint that is whole; `nil` where none was kept.
    ///
    /// - Throws: `format` where there are some and none is whole.
    func read() throws(GraftError) -> StoredCheckpoint?

    /// Removes the checkpoints, which the run needs no more.
    func remove()
}
