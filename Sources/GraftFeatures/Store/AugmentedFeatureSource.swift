import GraftData
import GraftGraph

/// Features that are augmented as they are read, in one epoch.
package struct AugmentedFeatureSource: ExampleSource {
    private let source: FeatureSource
    private let augmentation: FeatureAugmentation
    /// For each feature the largest less the smallest value of each channel.
    private let ranges: [[Float]]
    private let seed: UInt64
    private let epoch: Int

    /// Features of examples whose values are looked at first.
    ///
    /// - Parameters:
    ///   - indices: the examples whose ranges count.
    ///   - seed: another number augments otherwise.
    package init(
        _ source: FeatureSource, _ augmentation: FeatureAugmentation, over indices: [Int], seed: UInt64
    ) throws {
        (self.source, self.augmentation, self.seed, epoch) = (source, augmentation, seed, 0)
        ranges = try Self.ranges(of: source, indices)
    }

    private init(_ other: Self, epoch: Int) {
        (source, augmentation, ranges, seed) = (other.source, other.augmentation, other.ranges, other.seed)
        self.epoch = epoch
    }

    /// The same features in another epoch.
    package func inEpoch(_ epoch: Int) -> Self { Self(self, epoch: epoch) }

    package func fetch(_ indices: [Int]) throws -> SourceBatch {
        var batch = try source.fetch(indices)
        var first = 0
        for (position, input) in batch.inputs.enumerated() {
            batch.inputs[position] = .dense(augmented(input.tensor, ranges[position], indices, first: first))
            first += ranges[position].count
        }
        return batch
    }

    /// - Parameter first: the position of the first random number.
    private func augmented(_ features: Tensor, _ ranges: [Float], _ indices: [Int], first: Int) -> Tensor {
        let size = features.count / max(indices.count, 1)
        let share = Float(augmentation.brightness)
        return features.withUnsafeBuffer { values in
            Tensor(uninitialized: features.shape) { target in
                for (row, index) in indices.enumerated() {
                    let number = UInt64(truncatingIfNeeded: epoch) << 32 ^ UInt64(truncatingIfNeeded: index)
                    let stream = RandomStream(key: seed ^ 0x4672_6F46_4100_0000, stream: number)
                    let changes = ranges.indices.map {
                        share * (2 * stream.uniform(at: first + $0) - 1) * ranges[$0]
                    }
                    for element in 0..<size {
                        let place = row * size + element
                        target.initializeElement(at: place, to: values[place] + changes[element % changes.count])
                    }
                }
            }
        }
    }

    private static func ranges(of source: FeatureSource, _ indices: [Int]) throws -> [[Float]] {
        var bounds: [(low: [Float], high: [Float])] = []
        let step = 32
        for start in stride(from: 0, to: indices.count, by: step) {
            let batch = try source.fetch(Array(indices[start..<min(start + step, indices.count)]))
            let tensors = batch.tensors
            if bounds.isEmpty {
                bounds = tensors.map { tensor in
                    let channels = max(tensor.shape.last, 1)
                    return (
                        [Float](repeating: .infinity, count: channels), [Float](repeating: -.infinity, count: channels)
                    )
                }
            }
            for (position, tensor) in tensors.enumerated() {
                let channels = bounds[position].low.count
                tensor.withUnsafeBuffer { values in
                    for (index, value) in values.enumerated() {
                        let channel = index % channels
                        bounds[position].low[channel] = min(bounds[position].low[channel], value)
                        bounds[position].high[channel] = max(bounds[position].high[channel], value)
                    }
                }
            }
        }
        return bounds.map { bounds in zip(bounds.high, bounds.low).map { $0 - $1 } }
    }
}
