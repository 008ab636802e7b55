/// A token that is found in a text before it is split, such as `[MASK]`.
struct AddedToken: Sendable {
    let id: Int32
    let content: [UInt8]
    /// Whether it is found only where it is no part of a word.
    var isSingleWord = false
    /// Whether it takes the spaces before it.
    var stripsLeft = false
    /// Whether it takes those after it.
    var stripsRight = false
    /// Whether it is looked for in the normalized text.
    var isNormalized = false
    /// Whether it is left out of a decoded text.
    var isSpecial = false
}

extension AddedToken {
    init(_ json: OrderedJSON) throws(GraftError) {
        id = try json.member("id", "a whole number from 0 to \(TokenRule.largestID)") { value in
            value.integer.flatMap { (0...TokenRule.largestID).contains($0) ? Int32($0) : nil }
        }
        content = try json.member("content", "a text", \.bytes)
        isSpecial = try json.flag("special", default: false)
        isSingleWord = try json.flag("single_word", default: false)
        stripsLeft = try json.flag("lstrip", default: false)
        stripsRight = try json.flag("rstrip", default: false)
        isNormalized = try json.flag("normalized", default: !isSpecial)
    }
}

/// Finds added tokens in a text: of those that begin first the longest.
struct AddedTokenFinder: Sendable {
    private var trie: ByteTrie
    private var tokens: [AddedToken] = []
    private var isFirstByte = [Bool](repeating: false, count: 256)

    init() { trie = ByteTrie(capacity: 16) }

    var isEmpty: Bool { tokens.isEmpty }

    /// Adds a token as it will stand in a text; of two that are equal the first counts.
    mutating func insert(_ token: AddedToken, as content: [UInt8]) {
        guard let first = content.first, longest(content, at: 0)?.end != content.count else { return }
        trie.insert(content, Int32(tokens.count))
        tokens.append(token)
        isFirstByte[Int(first)] = true
    }

    /// A part of a text: a token, or what lies between.
    struct Section {
        let range: Range<Int>
        let id: Int32?
    }

    /// The parts of a text; they cover it.
    func sections(of text: UnsafeBufferPointer<UInt8>) -> [Section] {
        var (sections, start, position): ([Section], Int, Int) = ([], 0, 0)
        while position < text.count {
            guard isFirstByte[Int(text[position])], let match = longest(text, at: position) else {
                position += 1
                continue
            }
            var (low, high) = (position, match.end)
            position = match.end
            if match.token.isSingleWord, Self.touchesWord(text, low..<high) { continue }
            if match.token.stripsLeft { low = max(Self.spacesStart(text, low), start) }
            if match.token.stripsRight { high = Self.spacesEnd(text, high) }
            if start < low { sections.append(Section(range: start..<low, id: nil)) }
            // Spaces that this token took may hold the beginning of no other: tokens found there overlap it.
            sections.append(Section(range: max(low, start)..<max(high, start), id: match.token.id))
            start = max(high, start)
        }
        if start < text.count { sections.append(Section(range: start..<text.count, id: nil)) }
        return sections
    }

    private func longest(_ text: some RandomAccessCollection<UInt8>, at start: Int) -> (token: AddedToken, end: Int)? {
        var (node, position, best): (Int32, Int, (AddedToken, Int)?) = (ByteTrie.root, start, nil)
        for byte in text.dropFirst(start) {
            guard let child = trie.child(of: node, byte) else { break }
            node = child
            position += 1
            let value = trie.values[Int(node)]
            if value >= 0 { best = (tokens[Int(value)], position) }
        }
        return best
    }

    private static func touchesWord(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        let tables = UnicodeTables.shared
        if let before = scalar(text, before: range.lowerBound),
            tables.classes(of: before.value).contains(.wordCharacter)
        {
            return true
        }
        guard range.upperBound < text.count else { return false }
        return tables.classes(of: UTF8Scalar(text, at: range.upperBound).value).contains(.wordCharacter)
    }

    private static func spacesStart(_ text: UnsafeBufferPointer<UInt8>, _ end: Int) -> Int {
        var position = end
        while let before = scalar(text, before: position),
            UnicodeTables.shared.classes(of: before.value).contains(.whitespace)
        {
            position -= before.count
        }
        return position
    }

    private static func spacesEnd(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var position = start
        while position < text.count {
            let scalar = UTF8Scalar(text, at: position)
            guard UnicodeTables.shared.classes(of: scalar.value).contains(.whitespace) else { break }
            position += scalar.count
        }
        return position
    }

    private static func scalar(_ text: UnsafeBufferPointer<UInt8>, before end: Int) -> UTF8Scalar? {
        var position = end - 1
        while position > 0, text[position] & 0xC0 == 0x80 { position -= 1 }
        return position >= 0 ? UTF8Scalar(text, at: position) : nil
    }
}
