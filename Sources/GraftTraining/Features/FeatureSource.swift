import Foundation
import GraftGraph
import GraftModel

/// Reads kept features in place of decoding examples.
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

    func fetch(_ indices: [Int]) throws -> SourceBatch {
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
        return SourceBatch(indices: indices, inputs: features, targets: try dataset.targets(of: indices))
    }

    /// The folder of an example's row.
    func folder(of index: Int) -> FeatureFolder { unkept.contains(index) ? temporary ?? kept : kept }

    private func read(_ index: Int, into row: UnsafeMutableBufferPointer<Float>) throws {
        let folder = folder(of: index)
        guard let location = folder.location(of: keys[index]) else {
            throw GraftError(.state, "the features of example \(index) are not in \(folder.path)")
        }
        try folder.read(location, into: UnsafeMutableRawBufferPointer(row))
    }
}
