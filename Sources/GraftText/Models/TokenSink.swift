/// Takes a model's tokens: their ids and, where asked for, how many bytes of the piece each one takes.
struct TokenSink {
    private(set) var ids: [Int32] = []
    /// For each token the bytes of the whole text that it stands for; empty where nothing asks.
    private(set) var ranges: [Range<Int>] = []
    let isTracked: Bool

    init(isTracked: Bool) { self.isTracked = isTracked }

    @inline(__always)
    mutating func append(_ id: Int32, _ range: @autoclosure () -> Range<Int>) {
        ids.append(id)
        if isTracked { ranges.append(range()) }
    }

    /// Takes back what came after this many tokens.
    mutating func removeAll(after count: Int) {
        ids.removeSubrange(count...)
        if isTracked { ranges.removeSubrange(count...) }
    }
}

/// What a thread keeps from one text to the next: memory, and the tokens of words that were met before.
final class TokenScratch {
    /// Words and the places of their tokens in ``cachedTokens``.
    var cache = ByteTable(capacity: 1024)
    var cachedTokens: [(start: Int, count: Int)] = []
    var cachedIDs: [Int32] = []
    var cachedLengths: [Int32] = []
    var symbols: [MergeSymbol] = []
    var queue = MergeQueue()
    var paths: [BestPath] = []
    var hashes: [UInt64] = []
    var boundaries: [Int] = []

    /// More words than this are not kept: the first of a language are the frequent ones.
    static let maximumWordCount = 1 << 15
    /// Longer words are not kept: they do not come back.
    static let maximumWordLength = 64
}
