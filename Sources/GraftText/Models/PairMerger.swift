/// A token while neighbours are joined: a link of a list.
struct MergeSymbol {
    var id: Int32
    /// How many bytes it stands for; 0 where it was joined to the one before.
    var length: Int32
    var previous: Int32
    /// -1 at the end.
    var next: Int32
}

/// The pairs that may be joined, and the joining.
struct PairMerger: Sendable {
    private var ranks: PairTable
    /// The token that the pair of a rank becomes.
    private var results: [Int32] = []

    /// - Throws: `format` for a merge of or to a token that is not there.
    init(
        _ vocabulary: Vocabulary, _ merges: [(left: [UInt8], right: [UInt8])], prefix: [UInt8]
    ) throws(GraftError) {
        ranks = PairTable(capacity: merges.count)
        results.reserveCapacity(merges.count)
        for (rank, merge) in merges.enumerated() {
            guard let left = vocabulary.id(of: merge.left), let right = vocabulary.id(of: merge.right),
                let result = vocabulary.id(of: merge.left + merge.right.dropFirst(prefix.count))
            else {
                throw GraftError(
                    .format,
                    "merge \(rank + 1), \"\(merge.left.prefix(40).printable)\" and \"\(merge.right.prefix(40).printable)\", is of "
                        + "or to a token that the vocabulary does not have")
            }
            ranks.set(left, right, to: Int32(rank))
            results.append(result)
        }
    }

    /// Joins neighbours in the order of the merges' ranks, the left ones first.
    ///
    /// An entry of the queue may be out of date when its turn comes; it counts where the pair that is there now becomes the same
    /// token, as in the package.
    func merge(_ symbols: inout [MergeSymbol], _ queue: inout MergeQueue) {
        guard symbols.count > 1 else { return }
        queue.removeAll()
        for place in 0..<(symbols.count - 1) { consider(place, symbols, &queue) }
        while let (rank, place) = queue.popFirst() {
            let left = symbols[place]
            guard left.length > 0, left.next >= 0 else { continue }
            let right = symbols[Int(left.next)]
            let result = results[rank]
            guard let current = ranks[left.id, right.id], results[Int(current)] == result else { continue }
            symbols[Int(left.next)].length = 0
            symbols[place] = MergeSymbol(
                id: result, length: left.length + right.length, previous: left.previous, next: right.next)
            if right.next >= 0 { symbols[Int(right.next)].previous = Int32(place) }
            if left.previous >= 0 { consider(Int(left.previous), symbols, &queue) }
            consider(place, symbols, &queue)
        }
    }

    /// Puts the pair that begins at a place into the queue, if it may be joined.
    @inline(__always)
    private func consider(_ place: Int, _ symbols: [MergeSymbol], _ queue: inout MergeQueue) {
        let left = symbols[place]
        guard left.next >= 0, let rank = ranks[left.id, symbols[Int(left.next)].id] else { return }
        queue.insert(rank: rank, place: place)
    }
}

/// Pairs that may be joined, the one with the lowest rank first, and of equal ones the one on the left: a binary heap.
struct MergeQueue {
    private var heap: [UInt64] = []

    mutating func removeAll() { heap.removeAll(keepingCapacity: true) }

    @inline(__always)
    mutating func insert(rank: Int32, place: Int) {
        var child = heap.count
        let key = UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(truncatingIfNeeded: place))
        heap.append(key)
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[parent] > key else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = key
    }

    @inline(__always)
    mutating func popFirst() -> (rank: Int, place: Int)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            var parent = 0
            while true {
                var child = 2 * parent + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
                guard heap[child] < last else { break }
                heap[parent] = heap[child]
                parent = child
            }
            heap[parent] = last
        }
        return (Int(first >> 32), Int(first & 0xFFFF_FFFF))
    }
}
