import GraftGraph

/// Writes the features of one batch after the other into their folders, while the trunk computes the next.
///
/// Sendable because the recorders are used by the thread that writes alone, and after `finish` has waited for it.
final class FeatureRecording: @unchecked Sendable {
    private let source: FeatureSource
    private let kept: FeatureRecorder
    private let temporary: FeatureRecorder?
    private let writing = BackgroundWork(name: "graft features")

    /// Writes the features of a source; with each file the cache makes sure that it stays within its limit.
    init(_ source: FeatureSource, cache: FeatureCache) {
        self.source = source
        kept = FeatureRecorder(folder: source.kept) { cache.trim(keeping: source.kept) }
        temporary = source.temporary.map { FeatureRecorder(folder: $0) }
    }

    /// Has the features of these examples written, one row of each feature after the other; waits only where two batches
    /// are not written yet.
    ///
    /// - Parameter rows: where they are in the features, in this order.
    /// - Throws: what went wrong with an earlier batch.
    func append(_ features: [Tensor], rows: Range<Int>, of indices: [Int]) throws {
        guard !indices.isEmpty else { return }
        try writing.submit { [self] in
            for (position, index) in zip(rows, indices) {
                let recorder = source.uncacheable.contains(index) ? temporary ?? kept : kept
                try withRow(position, of: features) { try recorder.append($0, key: source.keys[index]) }
            }
        }
    }

    /// Waits for all rows and completes the shards that are begun, whatever went wrong before.
    func finish() throws {
        let written = Result { try writing.finish() }
        try kept.finish()
        try temporary?.finish()
        try written.get()
    }

    /// The bytes of a row, without a copy where there is one feature.
    private func withRow(
        _ row: Int, of features: [Tensor], _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard features.count == 1 else {
            return try features.flatMap { $0.elements(ofRow: row) }.withUnsafeBytes(body)
        }
        let size = features[0].count / max(features[0].shape[0], 1)
        try features[0].withUnsafeBuffer { elements in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: elements[(row * size)..<((row + 1) * size)])))
        }
    }
}
