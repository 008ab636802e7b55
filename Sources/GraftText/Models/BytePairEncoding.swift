/// Byte-pair encoding: a word begins as its characters, and the pair of neighbours with the lowest rank is joined until no
/// pair has one.
///
/// Source: Sennrich, Haddow and Birch 2016 (arXiv:1508.07909); byte-level after Radford and others 2019; the treatment of
/// unknown characters, prefixes and bytes is that of the `tokenizers` package.
struct BytePairEncoding: Sendable {
    /// How words are taken apart, besides the merges.
    struct Options: Sendable {
        /// What an unknown character becomes; where it is `nil` it is left out.
        var unknown: [UInt8]?
        /// Whether unknown characters side by side are one.
        var fusesUnknown = false
        /// Whether unknown characters become tokens `<0x00>` to `<0xFF>`, where all of theirs are there.
        var fallsBackToBytes = false
        /// What tokens begin with that go on in a word.
        var prefix: [UInt8] = []
        /// What tokens end with that end a word.
        var suffix: [UInt8] = []
        /// Whether a word that is a token is taken whole.
        var ignoresMerges = false
        /// Whether a byte is a character, as the pre-tokenizer `ByteLevel` has it.
        var isByteLevel = false
    }

    private let options: Options
    /// Tokens by their bytes; where a byte is a character, by the bytes that they stand for.
    private let tokens: ByteTable
    /// The tokens of single bytes; -1 for none.
    private let bytes: [Int32]
    /// The tokens `<0x00>` to `<0xFF>`; -1 for none.
    private let fallback: [Int32]
    private let unknownID: Int32?
    private let merger: PairMerger

    /// - Throws: `format` for a merge of or to a token that is not there.
    init(
        _ vocabulary: Vocabulary, merges: [(left: [UInt8], right: [UInt8])], _ options: Options
    ) throws(GraftError) {
        self.options = options
        merger = try PairMerger(vocabulary, merges, prefix: options.prefix)
        unknownID = try options.unknown.map { (token) throws(GraftError) in
            guard let id = vocabulary.id(of: token) else {
                throw GraftError(
                    .format, "the unknown token \"\(token.prefix(40).printable)\" is not in the vocabulary of BPE")
            }
            return id
        }
        var (tokens, bytes) = (ByteTable(capacity: vocabulary.count), [Int32](repeating: -1, count: 256))
        for (id, token) in vocabulary.entries {
            guard let key = options.isByteLevel ? ByteAlphabet.bytes(of: token) : token else { continue }
            tokens.set(key, to: id)
            if key.count == 1 { bytes[Int(key[0])] = id }
        }
        (self.tokens, self.bytes) = (tokens, bytes)
        fallback = ByteAlphabet.fallbackTokens.map { vocabulary.id(of: $0) ?? -1 }
    }

    /// The tokens of a word that lies at `range`.
    func tokenize(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ scratch: TokenScratch, _ sink: inout TokenSink
    ) {
        let word = UnsafeBufferPointer(rebasing: text[range])
        let isShort = word.count <= TokenScratch.maximumWordLength
        let hash = isShort ? ByteTable.hash(word) : 0
        if isShort, let known = scratch.cache.value(word, hash: hash) {
            return Self.emit(scratch.cachedTokens[Int(known)], range.lowerBound, scratch, &sink)
        }
        let before = scratch.cachedIDs.count
        resolve(word, scratch)
        let tokens = (start: before, count: scratch.cachedIDs.count - before)
        Self.emit(tokens, range.lowerBound, scratch, &sink)
        if isShort, scratch.cachedTokens.count < TokenScratch.maximumWordCount {
            scratch.cache.set(word, hash: hash, to: Int32(scratch.cachedTokens.count))
            scratch.cachedTokens.append(tokens)
        } else {
            scratch.cachedIDs.removeSubrange(before...)
            scratch.cachedLengths.removeSubrange(before...)
        }
    }

    @inline(__always)
    private static func emit(
        _ tokens: (start: Int, count: Int), _ start: Int, _ scratch: TokenScratch, _ sink: inout TokenSink
    ) {
        var position = start
        for place in tokens.start..<(tokens.start + tokens.count) {
            let end = position + Int(scratch.cachedLengths[place])
            sink.append(scratch.cachedIDs[place], position..<end)
            position = end
        }
    }

    /// Puts the word's tokens at the end of the cached ones.
    private func resolve(_ word: UnsafeBufferPointer<UInt8>, _ scratch: TokenScratch) {
        if options.ignoresMerges, let id = tokens.value(word, hash: ByteTable.hash(word)) {
            scratch.cachedIDs.append(id)
            scratch.cachedLengths.append(Int32(word.count))
            return
        }
        scratch.symbols.removeAll(keepingCapacity: true)
        if options.isByteLevel { addBytes(word, scratch) } else { addCharacters(word, scratch) }
        merger.merge(&scratch.symbols, &scratch.queue)
        for symbol in scratch.symbols where symbol.length > 0 {
            scratch.cachedIDs.append(symbol.id)
            scratch.cachedLengths.append(symbol.length)
        }
    }

    private func addBytes(_ word: UnsafeBufferPointer<UInt8>, _ scratch: TokenScratch) {
        var unknownCount = 0
        for byte in word {
            let id = bytes[Int(byte)]
            if id >= 0 {
                flush(&unknownCount, scratch)
                scratch.add(id, 1)
            } else {
                addUnknown(1, &unknownCount, scratch)
            }
        }
        flush(&unknownCount, scratch)
    }

    private func addCharacters(_ word: UnsafeBufferPointer<UInt8>, _ scratch: TokenScratch) {
        var unknownLength = 0
        var position = 0
        while position < word.count {
            let length = UTF8Scalar(word, at: position).count
            let character = UnsafeBufferPointer(rebasing: word[position..<(position + length)])
            let (isFirst, isLast) = (position == 0, position + length == word.count)
            if let id = id(of: character, isFirst: isFirst, isLast: isLast) {
                flush(&unknownLength, scratch)
                scratch.add(id, Int32(length))
            } else if !fallBack(character, isFirst: isFirst, isLast: isLast, scratch) {
                addUnknown(length, &unknownLength, scratch)
            }
            position += length
        }
        flush(&unknownLength, scratch)
    }

    /// The token of a character, with the prefix and the suffix that its place asks for.
    private func id(of character: UnsafeBufferPointer<UInt8>, isFirst: Bool, isLast: Bool) -> Int32? {
        if (options.prefix.isEmpty || isFirst) && (options.suffix.isEmpty || !isLast) {
            return tokens.value(character, hash: ByteTable.hash(character))
        }
        return tokens.value((isFirst ? [] : options.prefix) + character + (isLast ? options.suffix : []))
    }

    /// Whether the character became tokens of its bytes.
    private func fallBack(
        _ character: UnsafeBufferPointer<UInt8>, isFirst: Bool, isLast: Bool, _ scratch: TokenScratch
    ) -> Bool {
        guard options.fallsBackToBytes else { return false }
        let bytes = (isFirst ? [] : options.prefix) + character + (isLast ? options.suffix : [])
        guard bytes.allSatisfy({ fallback[Int($0)] >= 0 }) else { return false }
        for byte in bytes { scratch.add(fallback[Int(byte)], 1) }
        return true
    }

    private func addUnknown(_ length: Int, _ pending: inout Int, _ scratch: TokenScratch) {
        guard unknownID != nil else { return }
        if pending > 0, !options.fusesUnknown { flush(&pending, scratch) }
        pending += length
    }

    private func flush(_ pending: inout Int, _ scratch: TokenScratch) {
        guard pending > 0, let unknownID else { return }
        scratch.add(unknownID, Int32(pending))
        pending = 0
    }
}

extension TokenScratch {
    /// Adds a symbol behind the others.
    @inline(__always)
    fileprivate func add(_ id: Int32, _ length: Int32) {
        let place = Int32(symbols.count)
        if place > 0 { symbols[Int(place) - 1].next = place }
        symbols.append(MergeSymbol(id: id, length: length, previous: place - 1, next: -1))
    }
}
