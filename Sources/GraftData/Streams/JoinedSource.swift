import GraftGraph

/// Several datasets decoded as one, so that a pass over all of them has no batch that is half empty but the last: a trunk
/// takes as long for that as for a full one.
package struct JoinedSource: ExampleSource {
    private let sources: [DecodedSource]
    /// The number of each dataset's first example.
    private let firsts: [Int]
    package var activity: String { "decode" }

    /// Examples of one dataset that stand behind one another.
    package struct Piece {
        package let part: Int
        /// Where they stand in what they were taken from.
        package let rows: Range<Int>
        /// Their numbers in their dataset.
        package let indices: [Int]
    }

    /// Datasets behind one another, for so many streams of batches.
    package init(_ datasets: [any Dataset], streams: Int = 1) {
        sources = datasets.map { DecodedSource(dataset: $0, streams: streams) }
        firsts = datasets.indices.map { part in datasets[..<part].reduce(0) { $0 + $1.numberCount } }
    }

    /// The number of a dataset's example among all.
    package func number(of index: Int, in part: Int) -> Int { firsts[part] + index }

    /// These examples by dataset, in their order.
    package func pieces(of numbers: [Int]) -> [Piece] {
        var pieces: [Piece] = []
        var start = 0
        while start < numbers.count {
            let part = part(of: numbers[start])
            let end = numbers[start...].firstIndex { self.part(of: $0) != part } ?? numbers.count
            pieces.append(Piece(part: part, rows: start..<end, indices: numbers[start..<end].map { $0 - firsts[part] }))
            start = end
        }
        return pieces
    }

    /// The dataset of an example that cannot be read, and the failure with its number there.
    package func separated(_ failure: ExampleFailure) -> (part: Int, failure: ExampleFailure) {
        let part = part(of: failure.index)
        var own = failure
        own.index -= firsts[part]
        return (part, own)
    }

    package func fetch(_ numbers: [Int]) throws -> SourceBatch {
        var batch = SourceBatch()
        for piece in pieces(of: numbers) {
            var part = try sources[piece.part].fetch(piece.indices)
            let first = firsts[piece.part]
            part.indices = part.indices.map { $0 + first }
            for index in part.failures.indices { part.failures[index].index += first }
            batch.append(part)
        }
        return batch
    }

    private func part(of number: Int) -> Int { firsts.lastIndex { $0 <= number } ?? 0 }
}
