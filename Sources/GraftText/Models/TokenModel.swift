/// What makes tokens of the pieces of a text: a value, as `tokenizer.json` has it.
enum TokenModel: Sendable {
    case wordPiece(WordPiece)
    case bytePairEncoding(BytePairEncoding)
    case unigram(Unigram)
    /// Each piece is a token, or unknown.
    case wordLevel(ByteTable, unknownID: Int32?)

    /// The tokens of one piece, which lies at `range`.
    func tokenize(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ scratch: TokenScratch, _ sink: inout TokenSink
    ) throws(GraftError) {
        switch self {
        case .wordPiece(let model): model.tokenize(text, range, scratch, &sink)
        case .bytePairEncoding(let model): model.tokenize(text, range, scratch, &sink)
        case .unigram(let model): try model.tokenize(text, range, scratch, &sink)
        case .wordLevel(let table, let unknownID):
            let word = UnsafeBufferPointer(rebasing: text[range])
            guard let id = table.value(word, hash: ByteTable.hash(word)) ?? unknownID else {
                throw GraftError(
                    .data,
                    "\"\(word.prefix(40).printable)\" is not in the vocabulary, and there is no token for what is unknown"
                )
            }
            sink.append(id, range)
        }
    }
}

extension TokenModel {
    /// Reads a model.
    ///
    /// - Parameter isByteLevel: whether pieces are bytes, each of which is a character.
    /// - Throws: `format` for one that is not known here, or not whole.
    static func read(
        _ json: OrderedJSON, isByteLevel: Bool
    ) throws(GraftError) -> (model: TokenModel, vocabulary: Vocabulary) {
        // Files of before do not say it.
        let type = try json.optional("type", "a text", \.text) ?? (json["merges"] == nil ? "WordPiece" : "BPE")
        guard type == "BPE" || !isByteLevel else {
            throw GraftError(.format, "the model \(type) over bytes is not supported; Graft has byte-level BPE")
        }
        if type == "Unigram" { return try unigram(json) }
        let vocabulary = try Vocabulary(json)
        switch type {
        case "WordPiece":
            let model = try WordPiece(
                vocabulary, unknown: try json.optional("unk_token", "a text", \.bytes) ?? Array("[UNK]".utf8),
                prefix: try json.optional("continuing_subword_prefix", "a text", \.bytes) ?? Array("##".utf8),
                maximumWordLength: try json.optional("max_input_chars_per_word", "a whole number from 0 to 4096") {
                    $0.integer.flatMap { (0...4096).contains($0) ? $0 : nil }
                } ?? 100)
            return (.wordPiece(model), vocabulary)
        case "BPE":
            return (.bytePairEncoding(try bytePairEncoding(json, vocabulary, isByteLevel: isByteLevel)), vocabulary)
        case "WordLevel":
            var table = ByteTable(capacity: vocabulary.count)
            for (id, token) in vocabulary.entries { table.set(token, to: id) }
            let unknown = try json.optional("unk_token", "a text", \.bytes)
            return (.wordLevel(table, unknownID: unknown.flatMap { vocabulary.id(of: $0) }), vocabulary)
        default:
            throw GraftError(
                .format,
                "the model \(type.prefix(40).description.printable) is not known; Graft has WordPiece, BPE, Unigram and WordLevel"
            )
        }
    }

    private static func bytePairEncoding(
        _ json: OrderedJSON, _ vocabulary: Vocabulary, isByteLevel: Bool
    ) throws(GraftError) -> BytePairEncoding {
        if let dropout = try json.optional("dropout", "a number", \.number), dropout > 0 {
            throw GraftError(.format, "BPE with a dropout of \(dropout) gives other tokens each time; set it to null")
        }
        var options = BytePairEncoding.Options()
        options.unknown = try json.optional("unk_token", "a text", \.bytes)
        options.fusesUnknown = try json.flag("fuse_unk", default: false)
        options.fallsBackToBytes = try json.flag("byte_fallback", default: false)
        options.prefix = try json.optional("continuing_subword_prefix", "a text", \.bytes) ?? []
        options.suffix = try json.optional("end_of_word_suffix", "a text", \.bytes) ?? []
        options.ignoresMerges = try json.flag("ignore_merges", default: false)
        options.isByteLevel = isByteLevel
        guard !isByteLevel || !options.fallsBackToBytes && options.prefix.isEmpty && options.suffix.isEmpty else {
            throw GraftError(.format, "byte-level BPE with byte_fallback, a prefix or a suffix is not supported")
        }
        var merges: [(left: [UInt8], right: [UInt8])] = []
        for (place, stored) in try json.member("merges", "a list", \.elements).enumerated() {
            if let merge = try merge(stored, place) { merges.append(merge) }
        }
        return try BytePairEncoding(vocabulary, merges: merges, options)
    }

    /// Two texts, or one with a space between; `nil` for a line that only says the version.
    private static func merge(
        _ json: OrderedJSON, _ place: Int
    ) throws(GraftError) -> (left: [UInt8], right: [UInt8])? {
        if let parts = json.elements, parts.count == 2, let left = parts[0].bytes, let right = parts[1].bytes {
            return (left, right)
        }
        if let text = json.bytes {
            if text.starts(with: Array("#version".utf8)) { return nil }
            let parts = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            if parts.count == 2 { return (Array(parts[0]), Array(parts[1])) }
        }
        throw GraftError(.format, "merge \(place + 1) must be two tokens, is \(json.brief)")
    }

    private static func unigram(_ json: OrderedJSON) throws(GraftError) -> (model: TokenModel, vocabulary: Vocabulary) {
        let entries = try json.member("vocab", "a list", \.elements)
        var pieces: [(token: [UInt8], score: Double)] = []
        var vocabulary = Vocabulary(capacity: entries.count)
        for (id, entry) in entries.enumerated() {
            guard let parts = entry.elements, parts.count == 2, let token = parts[0].bytes, let score = parts[1].number
            else {
                throw GraftError(.format, "piece \(id) of Unigram must be a text and its score, is \(entry.brief)")
            }
            pieces.append((token, score))
            try vocabulary.insert(token, id)
        }
        let model = try Unigram(
            pieces, unknownID: try json.optional("unk_id", "a whole number", \.integer),
            fallsBackToBytes: try json.flag("byte_fallback", default: false))
        return (.unigram(model), vocabulary)
    }
}

extension Vocabulary {
    /// The member `vocab`: an object of ids.
    fileprivate init(_ json: OrderedJSON) throws(GraftError) {
        let members = try json.member("vocab", "an object", \.members)
        self.init(capacity: members.count)
        for member in members {
            guard let id = member.value.integer else {
                throw GraftError(
                    .format,
                    "the id of the token \"\(member.name.prefix(40).printable)\" must be a whole number, is \(member.value.brief)"
                )
            }
            try insert(member.name, id)
        }
    }
}
