/// SentencePiece's unigram model: of all ways to cut a text into pieces, the one whose scores have the largest sum (Viterbi).
///
/// Source: Kudo 2018 (arXiv:1804.10959); sums, ties and unknown characters as in the `tokenizers` package.
struct Unigram: Sendable {
    private let pieces: ByteTable
    private let trie: ByteTrie
    private let scores: [Double]
    private let unknownID: Int32?
    private let unknownScore: Double
    private let fallback: [Int32]
    private let fallsBackToBytes: Bool

    /// How much worse than the worst piece an unknown character is.
    private static let unknownPenalty = 10.0

    init(_ pieces: [(token: [UInt8], score: Double)], unknownID: Int?, fallsBackToBytes: Bool) throws(GraftError) {
        if let unknownID, !pieces.indices.contains(unknownID) {
            throw GraftError(.format, "the unknown token's id is \(unknownID), and Unigram has \(pieces.count) pieces")
        }
        var (table, trie) = (ByteTable(capacity: pieces.count), ByteTrie(capacity: pieces.count))
        for (id, piece) in pieces.enumerated() {
            table.set(piece.token, to: Int32(id))
            trie.insert(piece.token, Int32(id))
        }
        (self.pieces, self.trie) = (table, trie)
        scores = pieces.map(\.score)
        self.unknownID = unknownID.map { Int32($0) }
        unknownScore = (scores.min() ?? .infinity) - Self.unknownPenalty
        self.fallsBackToBytes = fallsBackToBytes
        fallback = ByteAlphabet.fallbackTokens.map { table.value($0) ?? -1 }
    }

    /// The tokens of a text that lies at `range`.
    ///
    /// - Throws: `data` for a character that no piece has, where there is no token for it.
    func tokenize(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ scratch: TokenScratch, _ sink: inout TokenSink
    ) throws(GraftError) {
        let piece = UnsafeBufferPointer(rebasing: text[range])
        try findPaths(piece, scratch)
        // Backwards from the end; unknown characters side by side are one.
        var cuts = scratch.boundaries
        cuts.removeAll(keepingCapacity: true)
        var (end, unknownEnd): (Int, Int?) = (piece.count, nil)
        while end > 0 {
            let path = scratch.paths[end]
            if let unknownID, path.id == unknownID {
                if unknownEnd == nil {
                    unknownEnd = end
                    cuts.append(end)
                }
            } else {
                unknownEnd = nil
                cuts.append(end)
            }
            end = path.start
        }
        scratch.boundaries = cuts
        var start = 0
        for end in cuts.reversed() {
            try emit(piece, start..<end, range.lowerBound, &sink)
            start = end
        }
    }

    /// For each place the best path that ends there.
    private func findPaths(_ text: UnsafeBufferPointer<UInt8>, _ scratch: TokenScratch) throws(GraftError) {
        scratch.paths.removeAll(keepingCapacity: true)
        scratch.paths.append(contentsOf: repeatElement(BestPath(), count: text.count + 1))
        var start = 0
        while start < text.count {
            let length = UTF8Scalar(text, at: start).count
            let before = scratch.paths[start].score
            var (node, position, isCovered) = (ByteTrie.root, start, false)
            while position < text.count, let child = trie.child(of: node, text[position]) {
                node = child
                position += 1
                let id = trie.values[Int(node)]
                guard id >= 0 else { continue }
                scratch.paths[position].improve(before + scores[Int(id)], from: start, id)
                isCovered = isCovered || position == start + length
            }
            if !isCovered {
                guard let unknownID else {
                    throw GraftError(
                        .data,
                        "the text has \"\(text[start..<(start + length)].printable)\", which the tokenizer's vocabulary does not have, and "
                            + "it has no token for what is unknown")
                }
                scratch.paths[start + length].improve(before + unknownScore, from: start, unknownID)
            }
            start += length
        }
    }

    private func emit(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ origin: Int, _ sink: inout TokenSink
    ) throws(GraftError) {
        let key = UnsafeBufferPointer(rebasing: text[range])
        let place = (origin + range.lowerBound)..<(origin + range.upperBound)
        if let id = pieces.value(key, hash: ByteTable.hash(key)) { return sink.append(id, place) }
        if fallsBackToBytes, key.allSatisfy({ fallback[Int($0)] >= 0 }) {
            for byte in key { sink.append(fallback[Int(byte)], place) }
        } else if let unknownID {
            sink.append(unknownID, place)
        }
    }
}

/// The best way to a place of a text.
struct BestPath {
    private(set) var score = 0.0
    /// Where its last piece begins; -1 where there is no way yet.
    private(set) var start = -1
    private(set) var id: Int32 = 0

    /// Takes another way if it is better.
    @inline(__always)
    mutating func improve(_ score: Double, from start: Int, _ id: Int32) {
        guard self.start < 0 || score > self.score else { return }
        (self.score, self.start, self.id) = (score, start, id)
    }
}
