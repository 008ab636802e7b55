/// How tokens become a text again: a value, as `tokenizer.json` has it.
indirect enum TokenDecoder: Sendable {
    case wordPiece(prefix: [UInt8], cleansUp: Bool)
    case byteLevel
    case metaspace(replacement: [UInt8], dropsFirst: Bool)
    case suffix([UInt8])
    case byteFallback
    case fuse
    case strip(content: [UInt8], start: Int, stop: Int)
    case replace([UInt8], with: [UInt8])
    case sequence([TokenDecoder])

    /// The parts of the text.
    func decode(_ tokens: [[UInt8]]) -> [[UInt8]] {
        switch self {
        case .wordPiece(let prefix, let cleansUp): return Self.joinPieces(tokens, prefix, cleansUp: cleansUp)
        case .byteLevel:
            let bytes = tokens.flatMap { ByteAlphabet.bytes(of: $0) ?? $0 }
            return [Array(String(decoding: bytes, as: UTF8.self).utf8)]
        case .metaspace(let replacement, let dropsFirst):
            return tokens.enumerated().map { place, token in
                token.replacing(replacement, with: place == 0 && dropsFirst ? [] : [UInt8(ascii: " ")])
            }
        case .suffix(let suffix):
            return tokens.enumerated().map { place, token in
                token.replacing(suffix, with: place == tokens.count - 1 ? [] : [UInt8(ascii: " ")])
            }
        case .byteFallback: return Self.joinBytes(tokens)
        case .fuse: return [tokens.flatMap { $0 }]
        case .strip(let content, let start, let stop):
            return tokens.map { Self.strip($0, content, start: start, stop: stop) }
        case .replace(let pattern, let content): return tokens.map { $0.replacing(pattern, with: content) }
        case .sequence(let decoders): return decoders.reduce(tokens) { $1.decode($0) }
        }
    }

    private static func joinPieces(_ tokens: [[UInt8]], _ prefix: [UInt8], cleansUp: Bool) -> [[UInt8]] {
        tokens.enumerated().map { place, token in
            var token = token
            if place > 0 {
                token = token.starts(with: prefix) ? Array(token.dropFirst(prefix.count)) : [UInt8(ascii: " ")] + token
            }
            return cleansUp ? cleaned(token) : token
        }
    }

    private static let cleanings: [(String, String)] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ]

    private static func cleaned(_ token: [UInt8]) -> [UInt8] {
        cleanings.reduce(token) { $0.replacing(Array($1.0.utf8), with: Array($1.1.utf8)) }
    }

    /// Runs of tokens such as `<0xC3>` as the text that their bytes are, or as U+FFFD for each where they are none.
    private static func joinBytes(_ tokens: [[UInt8]]) -> [[UInt8]] {
        var (result, pending): ([[UInt8]], [UInt8]) = ([], [])
        func flush() {
            guard !pending.isEmpty else { return }
            if String(validating: pending, as: UTF8.self) != nil {
                result.append(pending)
            } else {
                result += repeatElement([0xEF, 0xBF, 0xBD], count: pending.count)
            }
            pending = []
        }
        for token in tokens {
            if let byte = ByteAlphabet.fallbackByte(of: token) {
                pending.append(byte)
            } else {
                flush()
                result.append(token)
            }
        }
        flush()
        return result
    }

    private static func strip(_ token: [UInt8], _ content: [UInt8], start: Int, stop: Int) -> [UInt8] {
        var rest = token[...]
        for _ in 0..<start where rest.starts(with: content) { rest = rest.dropFirst(content.count) }
        for _ in 0..<stop where rest.reversed().starts(with: content.reversed()) { rest = rest.dropLast(content.count) }
        return Array(rest)
    }
}

extension [UInt8] {
    /// With every occurrence of some bytes replaced.
    fileprivate func replacing(_ pattern: [UInt8], with content: [UInt8]) -> [UInt8] {
        guard let first = pattern.first, contains(first) else { return self }
        var (result, place): ([UInt8], Int) = ([], 0)
        while place < count {
            if self[place] == first, self[place...].starts(with: pattern) {
                result += content
                place += pattern.count
            } else {
                result.append(self[place])
                place += 1
            }
        }
        return result
    }
}

// MARK: Reading

extension TokenDecoder {
    /// The most characters that one decoder strips.
    private static let maximumStrip = 1 << 10

    /// Reads a decoder.
    ///
    /// - Throws: `format` for one that is not known here, or not whole.
    init(_ json: OrderedJSON) throws(GraftError) {
        let type = try json.member("type", "a text", \.text)
        switch type {
        case "WordPiece":
            self = .wordPiece(
                prefix: try json.optional("prefix", "a text", \.bytes) ?? Array("##".utf8),
                cleansUp: try json.flag("cleanup", default: true))
        case "ByteLevel": self = .byteLevel
        case "Metaspace":
            let metaspace = try Metaspace(json)
            self = .metaspace(replacement: metaspace.replacement, dropsFirst: metaspace.scheme != .never)
        case "BPEDecoder": self = .suffix(try json.optional("suffix", "a text", \.bytes) ?? Array("</w>".utf8))
        case "ByteFallback": self = .byteFallback
        case "Fuse": self = .fuse
        case "Strip":
            let read: (OrderedJSON) -> Int? = { value in
                value.integer.flatMap { (0...Self.maximumStrip).contains($0) ? $0 : nil }
            }
            self = .strip(
                content: try json.shortText("content"),
                start: try json.member("start", "a whole number up to \(Self.maximumStrip)", read),
                stop: try json.member("stop", "a whole number up to \(Self.maximumStrip)", read))
        case "Replace":
            self = .replace(try json.pattern("pattern"), with: try json.shortText("content"))
        case "Sequence":
            self = .sequence(
                try json.member("decoders", "a list", \.elements).map { (part) throws(GraftError) in
                    try TokenDecoder(part)
                })
        default:
            throw GraftError(
                .format,
                "the decoder \(type.prefix(40).description.printable) is not known; Graft has WordPiece, ByteLevel, Metaspace, "
                    + "BPEDecoder, ByteFallback, Fuse, Strip, Replace and Sequence")
        }
    }
}

extension TokenDecoder {
    /// How many parts it has, and how many times as long it makes a text at most.
    var extent: (parts: Int, growth: Double) {
        switch self {
        case .replace(let pattern, let content): (1, PartLimits.growth(pattern.count, content.count))
        case .sequence(let parts):
            parts.reduce((1, 1)) { ($0.0 + $1.extent.parts, $0.1 * $1.extent.growth) }
        default: (1, 1)
        }
    }
}
