/// One text on its way through a tokenizer.
struct TextEncoder {
    private let tokenizer: Tokenizer
    private let added: AddedVocabulary
    private let text: UnsafeBufferPointer<UInt8>
    private let scratch: TokenScratch
    private let tracksOffsets: Bool
    private var sequence = TokenSequence()
    /// For each token whether it is an added one; empty where offsets are not trimmed.
    private var isAdded: [Bool] = []

    init(
        _ tokenizer: Tokenizer, _ added: AddedVocabulary, _ text: UnsafeBufferPointer<UInt8>, _ scratch: TokenScratch,
        tracksOffsets: Bool
    ) {
        (self.tokenizer, self.added, self.text, self.scratch) = (tokenizer, added, text, scratch)
        self.tracksOffsets = tracksOffsets
    }

    /// The text's tokens.
    mutating func run() throws(GraftError) -> TokenSequence {
        if added.raw.isEmpty {
            try encode(0..<text.count)
        } else {
            for section in added.raw.sections(of: text) {
                if let id = section.id { append(id, section.range) } else { try encode(section.range) }
            }
        }
        if tracksOffsets, let trimming = tokenizer.postProcessor.trimming { trim(trimming) }
        return sequence
    }

    private mutating func append(_ id: Int32, _ range: Range<Int>) {
        sequence.ids.append(id)
        guard tracksOffsets else { return }
        sequence.offsets.append(range)
        isAdded.append(true)
    }

    /// Encodes a part of the text without added tokens that are looked for in the text as it is.
    private mutating func encode(_ range: Range<Int>) throws(GraftError) {
        let normalized = normalize(range)
        guard !added.normalized.isEmpty else { return try encode(normalized) }
        let sections = normalized.bytes.withUnsafeBufferPointer { added.normalized.sections(of: $0) }
        for section in sections {
            if let id = section.id {
                append(id, normalized.original(section.range))
            } else {
                var part = AlignedText(isTracked: normalized.isTracked)
                part.append(section.range, of: normalized)
                try encode(part)
            }
        }
    }

    private func normalize(_ range: Range<Int>) -> AlignedText {
        let part = UnsafeBufferPointer(rebasing: text[range])
        let isTracked = tracksOffsets || tokenizer.preTokenizer?.readsPlaces == true
        guard let normalizer = tokenizer.normalizer else {
            return AlignedText(part, origin: range.lowerBound, isTracked: isTracked)
        }
        if !isTracked, case .bert(let bert) = normalizer, let bytes = bert.normalizeASCII(part) {
            var text = AlignedText(isTracked: false)
            text.bytes = bytes
            return text
        }
        var scalars = ScalarText(part, origin: range.lowerBound, isTracked: isTracked)
        normalizer.normalize(&scalars)
        return scalars.aligned
    }

    /// Encodes a normalized text without added tokens.
    private mutating func encode(_ normalized: AlignedText) throws(GraftError) {
        var pieces = Pieces(normalized)
        tokenizer.preTokenizer?.apply(to: &pieces)
        var sink = TokenSink(isTracked: tracksOffsets)
        let result = pieces.text.bytes.withUnsafeBufferPointer { bytes in
            Result { () throws(GraftError) in
                for range in pieces.ranges { try tokenizer.model.tokenize(bytes, range, scratch, &sink) }
            }
        }
        try result.get()
        sequence.ids += sink.ids
        guard tracksOffsets else { return }
        sequence.offsets += sink.ranges.map { pieces.text.original($0) }
        isAdded += repeatElement(false, count: sink.ids.count)
    }

    // MARK: Spaces at the ends of tokens

    /// Leaves spaces at the ends of tokens out of their offsets, as ByteLevel asks for.
    private mutating func trim(_ trimming: PostProcessor.Trimming) {
        for place in sequence.ids.indices {
            let range = sequence.offsets[place]
            let token =
                isAdded[place] ? text[range].map { $0 } : tokenizer.bytes(of: Int(sequence.ids[place])) ?? []
            let scalars = token.scalars
            var leading = scalars.prefix { Self.isSpace($0) }.count
            let trailing = scalars.reversed().prefix { Self.isSpace($0) }.count
            let isFirst = place == 0 || range.lowerBound == 0
            // A first space that was added takes nothing of the text.
            if isFirst, trimming.addsPrefixSpace, leading == 1 { leading = 0 }
            var (start, end) = (range.lowerBound, range.upperBound)
            for _ in 0..<leading where start < end { start += UTF8Scalar(text, at: start).count }
            start = min(start, end)
            for _ in 0..<trailing where end > start {
                repeat { end -= 1 } while end > start && text[end] & 0xC0 == 0x80
            }
            sequence.offsets[place] = start..<end
        }
    }

    private static func isSpace(_ scalar: UInt32) -> Bool {
        scalar == ByteAlphabet.characters[0x20] || UnicodeTables.shared.classes(of: scalar).contains(.whitespace)
    }
}
