/// The tokens of a text, or of two.
public struct TokenEncoding: Hashable, Sendable {
    /// The tokens' ids.
    public private(set) var ids: [Int32] = []
    /// Which of two texts each token is of: 0 or 1.
    public private(set) var typeIDs: [Int32] = []
    /// 1 for a token, 0 for padding.
    public private(set) var attentionMask: [Int32] = []
    /// Whether a token was put around the text, as `[CLS]`.
    public private(set) var isSpecial: [Bool] = []
    /// The bytes of the text, in UTF-8, that each token stands for; empty ranges for special tokens and padding.
    public private(set) var offsets: [Range<Int>] = []

    /// Nothing.
    public init() {}

    /// How many tokens there are, padding included.
    public var count: Int { ids.count }

    mutating func append(_ id: Int32, _ typeID: Int32, _ range: Range<Int>, isSpecial: Bool) {
        ids.append(id)
        typeIDs.append(typeID)
        attentionMask.append(1)
        self.isSpecial.append(isSpecial)
        offsets.append(range)
    }

    mutating func append(_ sequence: TokenSequence, _ typeID: Int32) {
        ids += sequence.ids
        typeIDs += repeatElement(typeID, count: sequence.ids.count)
        attentionMask += repeatElement(1, count: sequence.ids.count)
        isSpecial += repeatElement(false, count: sequence.ids.count)
        offsets +=
            sequence.offsets.isEmpty ? [Range<Int>](repeating: 0..<0, count: sequence.ids.count) : sequence.offsets
    }

    /// Fills up to a length.
    mutating func pad(to length: Int, _ id: Int32, typeID: Int32, isLeft: Bool) {
        let missing = length - count
        guard missing > 0 else { return }
        let place = isLeft ? 0 : count
        ids.insert(contentsOf: repeatElement(id, count: missing), at: place)
        typeIDs.insert(contentsOf: repeatElement(typeID, count: missing), at: place)
        attentionMask.insert(contentsOf: repeatElement(0, count: missing), at: place)
        isSpecial.insert(contentsOf: repeatElement(true, count: missing), at: place)
        offsets.insert(contentsOf: repeatElement(0..<0, count: missing), at: place)
    }
}

/// The tokens of one text, before anything is put around them.
struct TokenSequence: Sendable {
    var ids: [Int32] = []
    /// Empty where nothing asks for them.
    var offsets: [Range<Int>] = []

    /// Cuts off what is too long.
    mutating func truncate(to length: Int, fromLeft: Bool) {
        guard ids.count > length else { return }
        let kept = fromLeft ? (ids.count - length)..<ids.count : 0..<length
        ids = Array(ids[kept])
        if !offsets.isEmpty { offsets = Array(offsets[kept]) }
    }
}
