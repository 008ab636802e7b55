import Foundation
import GraftData
import GraftGraph

/// Reads kept features in place of decoding examples; rows are expanded to where they are used, or handed on compressed.
package struct FeatureSource: ExampleSource {
    package let dataset: any Dataset
    /// The key of each example's row.
    let keys: [FeatureKey]
    /// Where the rows of examples with a fingerprint are.
    let kept: FeatureFolder
    /// The examples without a fingerprint, whose rows go when the run ends.
    let uncacheable: Set<Int>
    /// Where those are, if there are any.
    let temporary: FeatureFolder?
    /// The shape of each feature, without the batch axis; a row holds them one after the other.
    let shapes: [Shape]
    /// Whether rows that are kept compressed are handed on so.
    package private(set) var isBitmap = false
    /// Memory of batches that were used: as many as a run holds at once.
    private let memory = TensorPool(capacity: 10)
    private let scratch = RowScratch()

    package func fetch(_ indices: [Int]) throws -> SourceBatch {
        let targets = try dataset.targets(of: indices)
        let features = try shapes.count == 1 ? [feature(indices, of: shapes[0])] : divided(indices).map { .dense($0) }
        return SourceBatch(indices: indices, inputs: features, targets: targets)
    }

    /// The one feature of these examples.
    private func feature(_ indices: [Int], of shape: Shape) throws -> HostArray {
        guard isBitmap else { return .dense(try rows(indices, of: shape)) }
        let kept = try indices.map(keptRow)
        // One that is no smaller in compressed form is not kept so.
        guard kept.allSatisfy({ $0.entry.encoding == .masked }) else { return .dense(try rows(indices, of: shape)) }
        let compressed = try BitmapRows(
            shape.inBatch(of: kept.count), byteCounts: kept.map(\.entry.byteCount), in: memory
        ) { number, bytes in
            try kept[number].folder.readPacked(kept[number].location, into: bytes)
        }
        return .bitmap(compressed)
    }

    /// The same features with their rows compressed, as they are kept, where these examples take no more than half of the
    /// memory so; itself otherwise.
    package func compressed(for indices: [Int]) throws -> FeatureSource {
        var source = self
        source.isBitmap = try compressedByteCount(of: indices).map { 2 * $0 <= byteCount } ?? false
        return source
    }

    /// The bytes of an example's features that are not compressed.
    package var byteCount: Int { shapes.reduce(0) { $0 + $1.elementCount } * MemoryLayout<Float>.stride }

    /// The bytes of these examples' features compressed, in the mean; `nil` where there are none, or where they have
    /// several, which are compressed as one row.
    package func compressedByteCount(of indices: [Int]) throws -> Int? {
        guard shapes.count == 1, !indices.isEmpty else { return nil }
        return try indices.reduce(0) { try $0 + keptRow($1).entry.byteCount } / indices.count
    }

    /// The one feature of these examples, read to where it is used.
    private func rows(_ indices: [Int], of shape: Shape) throws -> Tensor {
        let size = shape.elementCount
        return try memory.tensor(shape.inBatch(of: indices.count)) { target in
            for (position, index) in indices.enumerated() {
                try read(index, into: UnsafeMutableBufferPointer(rebasing: target[(position * size)...].prefix(size)))
            }
        }
    }

    /// The features of these examples, each cut out of its row.
    private func divided(_ indices: [Int]) throws -> [Tensor] {
        let sizes = shapes.map(\.elementCount)
        let row = UnsafeMutableBufferPointer<Float>.allocate(capacity: max(sizes.reduce(0, +), 1))
        defer { row.deallocate() }
        var features = shapes.map { Tensor(zeros: $0.inBatch(of: indices.count)) }
        for (position, index) in indices.enumerated() {
            try read(index, into: UnsafeMutableBufferPointer(rebasing: row[0..<sizes.reduce(0, +)]))
            var start = 0
            for (feature, size) in sizes.enumerated() {
                features[feature].withUnsafeMutableBuffer { target in
                    let source = UnsafeBufferPointer(rebasing: row[start..<(start + size)])
                    _ = target[(position * size)..<((position + 1) * size)].update(fromContentsOf: source)
                }
                start += size
            }
        }
        return features
    }

    /// The folder of an example's row.
    func folder(of index: Int) -> FeatureFolder { uncacheable.contains(index) ? temporary ?? kept : kept }

    private func place(of index: Int) throws -> (FeatureFolder, FeatureFolder.Location) {
        let folder = folder(of: index)
        guard let location = folder.location(of: keys[index]) else {
            throw GraftError(.state, "the features of example \(index) are not in \(folder.path)")
        }
        return (folder, location)
    }

    /// Where an example's row is, and how.
    private typealias KeptRow = (folder: FeatureFolder, location: FeatureFolder.Location, entry: ShardTable.Entry)

    private func keptRow(_ index: Int) throws -> KeptRow {
        let (folder, location) = try place(of: index)
        return (folder, location, try folder.entry(of: location))
    }

    /// The bytes of an example's row in its file.
    func packedByteCount(of index: Int) throws -> Int { try keptRow(index).entry.byteCount }

    private func read(_ index: Int, into row: UnsafeMutableBufferPointer<Float>) throws {
        let (folder, location) = try place(of: index)
        try folder.read(location, into: UnsafeMutableRawBufferPointer(row), scratch: scratch)
    }
}
