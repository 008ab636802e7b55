import GraftGraph

/// A concatenated dataset: several decoded as one, so that only the last batch of a pass is not full. A trunk takes as long for
/// such a batch as for a full one.
package struct ConcatenatedSource: ExampleSource {
    private let sources: [DecodedSource]
    /// The number of each dataset's first example.
    private let firsts: [Int]
    package var activity: String { "decode" }

    /// A segment of a batch: consecutive examples of one dataset.
    package struct Segment {
        package let part: Int
        /// Their rows in the batch.
        package let rows: Range<Int>
        /// Their numbers in their dataset.
        package let indices: [Int]
    }

    /// A concatenation, for this many streams of batches.
    package init(_ datasets: [any Dataset], streams: Int = 1) {
        sources = datasets.map { DecodedSource(dataset: $0, streams: streams) }
        firsts = datasets.indices.map { part in datasets[..<part].reduce(0) { $0 + $1.numberCount } }
    }

    /// The number of a dataset's example among all.
    package func number(of index: Int, in part: Int) -> Int { firsts[part] + index }

    /// These examples by dataset, in their order.
    package func segments(of numbers: [Int]) -> [Segment] {
        var segments: [Segment] = []
        var start = 0
        while start < numbers.count {
            let part = part(of: numbers[start])
            let end = numbers[start...].firstIndex { self.part(of: $0) != part } ?? numbers.count
            let indices = numbers[start..<end].map { $0 - firsts[part] }
            segments.append(Segment(part: part, rows: start..<end, indices: indices))
            start = end
        }
        return segments
    }

    /// The dataset of an example that cannot be read, and the failure with its number there.
    package func located(_ failure: ExampleFailure) -> (part: Int, failure: ExampleFailure) {
        let part = part(of: failure.index)
        var own = failure
        own.index -= firsts[part]
        return (part, own)
    }

    package func fetch(_ numbers: [Int]) throws -> SourceBatch {
        var batch = SourceBatch()
        for segment in segments(of: numbers) {
            var part = try sources[segment.part].fetch(segment.indices)
            let first = firsts[segment.part]
            part.indices = part.indices.map { $0 + first }
            for index in part.failures.indices { part.failures[index].index += first }
            batch.append(part)
        }
        return batch
    }

    private func part(of number: Int) -> Int { firsts.lastIndex { $0 <= number } ?? 0 }
}
