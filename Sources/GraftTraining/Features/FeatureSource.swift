import Foundation
import GraftGraph
import GraftModel

/// Reads kept features in place of decoding examples; rows are unpacked to where they are used.
struct FeatureSource: ExampleSource {
    let dataset: any Dataset
    /// The key of each example's row.
    let keys: [FeatureKey]
    /// Where the rows of examples with a fingerprint stand.
    let kept: FeatureFolder
    /// The examples without a fingerprint, whose rows go when the run ends.
    let unkept: Set<Int>
    /// Where those stand, if there are any.
    let temporary: FeatureFolder?
    /// The shape of each feature, without the batch axis; a row holds them one after the other.
    let shapes: [Shape]
    /// Memory of batches that were used: as many as a run holds at once.
    private let memory = TensorPool(capacity: 10)
    private let scratch = RowScratch()

    func fetch(_ indices: [Int]) throws -> SourceBatch {
        let targets = try dataset.targets(of: indices)
        let features = try shapes.count == 1 ? [rows(indices, of: shapes[0])] : divided(indices)
        return SourceBatch(indices: indices, inputs: features, targets: targets)
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
    func folder(of index: Int) -> FeatureFolder { unkept.contains(index) ? temporary ?? kept : kept }

    private func read(_ index: Int, into row: UnsafeMutableBufferPointer<Float>) throws {
        let folder = folder(of: index)
        guard let location = folder.location(of: keys[index]) else {
            throw GraftError(.state, "the features of example \(index) are not in \(folder.path)")
        }
        try folder.read(location, into: UnsafeMutableRawBufferPointer(row), scratch: scratch)
    }
}
