/// WordPiece: the longest piece of the vocabulary that a word begins with, then the longest of the rest, and so on. A word of
/// which some rest begins with no piece is unknown as a whole.
///
/// Source: Schuster and Nakajima 2012; google-research/bert `tokenization.py`.
struct WordPiece: Sendable {
    /// Pieces that begin a word.
    private let beginnings: ByteTable
    /// Those that go on, without their prefix.
    private let continuations: ByteTable
    private let unknownID: Int32
    /// A word of more characters is unknown.
    private let maximumWordLength: Int

    init(
        _ vocabulary: Vocabulary, unknown: [UInt8], prefix: [UInt8], maximumWordLength: Int
    ) throws(GraftError) {
        guard let unknownID = vocabulary.id(of: unknown) else {
            throw GraftError(
                .format, "the unknown token \"\(unknown.prefix(40).printable)\" is not in the vocabulary of WordPiece")
        }
        var (beginnings, continuations) = (ByteTable(capacity: vocabulary.count), ByteTable(capacity: 1024))
        for (id, token) in vocabulary.entries {
            beginnings.set(token, to: id)
            if token.starts(with: prefix) { continuations.set(Array(token.dropFirst(prefix.count)), to: id) }
        }
        (self.beginnings, self.continuations, self.unknownID) = (beginnings, continuations, unknownID)
        self.maximumWordLength = maximumWordLength
    }

    /// The tokens of a word that lies at `range`.
    func tokenize(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ scratch: TokenScratch, _ sink: inout TokenSink
    ) {
        let before = sink.ids.count
        guard !isTooLong(text, range) else { return sink.append(unknownID, range) }
        var start = range.lowerBound
        while start < range.upperBound {
            let table = start == range.lowerBound ? beginnings : continuations
            guard let (id, end) = longest(table, text, start..<range.upperBound, scratch) else {
                sink.removeAll(after: before)
                return sink.append(unknownID, range)
            }
            sink.append(id, start..<end)
            start = end
        }
    }

    private func isTooLong(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count > maximumWordLength else { return false }
        return text[range].count { $0 & 0xC0 != 0x80 } > maximumWordLength
    }

    /// The longest key that the bytes begin with. All prefixes are hashed on the way from the shortest, and looked up on the way
    /// back.
    @inline(__always)
    private func longest(
        _ table: ByteTable, _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ scratch: TokenScratch
    ) -> (id: Int32, end: Int)? {
        let limit = min(range.count, table.longest)
        scratch.hashes.removeAll(keepingCapacity: true)
        var hash = ByteTable.seed
        for place in range.lowerBound..<(range.lowerBound + limit) {
            hash = ByteTable.combine(hash, text[place])
            scratch.hashes.append(hash)
        }
        var count = limit
        while count > 0 {
            let end = range.lowerBound + count
            if end == range.upperBound || text[end] & 0xC0 != 0x80 {
                let key = UnsafeBufferPointer(rebasing: text[range.lowerBound..<end])
                if let id = table.value(key, hash: scratch.hashes[count - 1]) { return (id, end) }
            }
            count -= 1
        }
        return nil
    }
}
