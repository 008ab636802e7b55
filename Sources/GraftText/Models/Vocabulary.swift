/// Tokens and their ids. Tokens are bytes: two that Unicode's normalization makes equal are two.
struct Vocabulary: Sendable {
    private var table: ByteTable
    private var tokens: [[UInt8]?] = []
    /// How many tokens there are.
    private(set) var count = 0

    /// Ids beyond it are refused: a file of few tokens must not ask for the memory of many.
    private let largestID: Int
    private var byteCount = 0

    /// For about so many tokens; some ids may be free, as they are where a vocabulary was made larger for speed.
    init(capacity: Int) {
        table = ByteTable(capacity: capacity)
        largestID = min(TokenRule.largestID, 1 << 16 + 4 * capacity)
    }

    /// Adds a token; one that is there gets the new id.
    ///
    /// - Throws: `format` for an id that is none.
    mutating func insert(_ token: [UInt8], _ id: Int) throws(GraftError) {
        guard (0...largestID).contains(id) else {
            throw GraftError(
                .format,
                "the token \"\(token.prefix(40).printable)\" has the id \(id); in a vocabulary of this size ids are from 0 to "
                    + "\(largestID)")
        }
        byteCount += token.count
        guard token.count <= PartLimits.tokenBytes, byteCount <= PartLimits.vocabularyBytes else {
            throw GraftError(
                .format,
                "the tokens of a vocabulary have at most \(PartLimits.tokenBytes) bytes each and \(PartLimits.vocabularyBytes) "
                    + "together")
        }
        if table.value(token) == nil { count += 1 }
        table.set(token, to: Int32(id))
        if id >= tokens.count { tokens += repeatElement(nil, count: id + 1 - tokens.count) }
        tokens[id] = token
    }

    /// The id of a token.
    func id(of token: [UInt8]) -> Int32? { table.value(token) }

    /// The token of an id.
    subscript(_ id: Int) -> [UInt8]? { tokens.indices.contains(id) ? tokens[id] : nil }

    /// All tokens in the order of their ids.
    var entries: some Sequence<(id: Int32, token: [UInt8])> {
        tokens.enumerated().lazy.compactMap { id, token in token.map { (Int32(id), $0) } }
    }

    /// One more than the largest id.
    var endID: Int { tokens.count }
}
