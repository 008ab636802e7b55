extension Tokenizer {
    /// SentencePiece's BPE of pieces with scores, as llama2.c has it: of all neighbours those are joined first whose piece has the
    /// highest score; a space is put before the text; unknown characters become tokens of their bytes.
    ///
    /// - Parameters:
    ///   - pieces: the pieces in the order of their ids, `<0x00>` to `<0xFF>` for bytes.
    ///   - scores: the score of each.
    ///   - begin: the id that stands before a text.
    /// - Throws: `GraftError` with code `format` where the numbers of pieces and scores differ, or `begin` is no piece.
    public init(pieces: [String], scores: [Double], begin: Int) throws(GraftError) {
        try self.init(pieces.map { Array($0.utf8) }, scores, begin: begin)
    }

    /// A file with the members `pieces`, `scores` and `bos`.
    init(pieces json: OrderedJSON) throws(GraftError) {
        let pieces = try json.member("pieces", "a list of texts") { value in
            let texts = value.elements?.compactMap(\.bytes)
            return texts?.count == value.elements?.count ? texts : nil
        }
        let scores = try json.member("scores", "a list of numbers") { value in
            let numbers = value.elements?.compactMap(\.number)
            return numbers?.count == value.elements?.count ? numbers : nil
        }
        try self.init(pieces, scores, begin: try json.member("bos", "a whole number", \.integer))
    }

    private init(_ pieces: [[UInt8]], _ scores: [Double], begin: Int) throws(GraftError) {
        guard pieces.count == scores.count, pieces.indices.contains(begin) else {
            throw GraftError(
                .format,
                "\(pieces.count) pieces need as many scores, and there are \(scores.count); the piece that begins a text is "
                    + "\(begin)")
        }
        var vocabulary = Vocabulary(capacity: pieces.count)
        for (id, piece) in pieces.enumerated() { try vocabulary.insert(piece, id) }
        var merges: [(score: Double, left: [UInt8], right: [UInt8])] = []
        for (piece, score) in zip(pieces, scores) where piece.count > 1 {
            for cut in 1..<piece.count {
                let (left, right) = (Array(piece[..<cut]), Array(piece[cut...]))
                if vocabulary.id(of: left) != nil, vocabulary.id(of: right) != nil {
                    merges.append((score, left, right))
                }
            }
        }
        // The sort is stable: of equal scores the earlier piece comes first.
        let sorted = merges.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
        let json: OrderedJSON = [
            "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": [],
            "normalizer": ["type": "Prepend", "prepend": " "], "pre_tokenizer": .null,
            "post_processor": Self.beginning(pieces[begin], begin),
            "decoder": [
                "type": "Sequence",
                "decoders": [
                    ["type": "ByteFallback"], ["type": "Fuse"],
                    ["type": "Strip", "content": " ", "start": 1, "stop": 0],
                ],
            ],
            "model": [
                "type": "BPE", "unk_token": .null, "fuse_unk": true, "byte_fallback": true,
                "vocab": .object(pieces.enumerated().map { OrderedJSON.Member(name: $1, value: .int($0)) }),
                "merges": .array(sorted.map { [.string($0.element.left), .string($0.element.right)] }),
            ],
        ]
        try self.init(json, json: json.json)
    }

    /// The token that begins a text, in front of it.
    private static func beginning(_ token: [UInt8], _ id: Int) -> OrderedJSON {
        let begin: OrderedJSON = ["SpecialToken": ["id": .string(token), "type_id": 0]]
        let text: OrderedJSON = ["Sequence": ["id": "A", "type_id": 0]]
        let second: OrderedJSON = ["Sequence": ["id": "B", "type_id": 1]]
        let special = OrderedJSON.Member(
            name: token, value: ["id": .string(token), "ids": [.int(id)], "tokens": [.string(token)]])
        return [
            "type": "TemplateProcessing", "single": [begin, text], "pair": [begin, text, begin, second],
            "special_tokens": .object([special]),
        ]
    }
}
