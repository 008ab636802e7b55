import GraftDigest

extension Tokenizer {
    /// Reads a tokenizer: `tokenizer.json`, BERT's `vocab.txt`, GPT-2's `vocab.json` with `merges.txt` beside it, or a folder that
    /// holds one of them.
    ///
    /// Where a folder has several, `tokenizer.json` counts. Beside a `vocab.txt`, `tokenizer_config.json` says whether it is of
    /// lower case; without one it is.
    ///
    /// - Throws: `GraftError` with code `file` where nothing can be read, `format` for what is no tokenizer.
    public init(contentsOf path: String) throws(GraftError) {
        guard let file = Self.file(at: path) else {
            throw GraftError(
                .file,
                "\(path.printable) is no file, and no folder with a tokenizer.json, a vocab.txt, or a vocab.json and merges.txt"
            )
        }
        do throws(GraftError) {
            let bytes = try FileBytes.read(file, limit: OrderedJSONReader.maximumByteCount)
            let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            let beside = { (name: String) in folder.isEmpty && !file.hasPrefix("/") ? name : folder + "/" + name }
            if file.hasSuffix(".txt") {
                try self.init(wordPieces: bytes, options: Self.options(at: beside("tokenizer_config.json")))
            } else if file.hasSuffix("vocab.json") {
                let merges = try FileBytes.read(beside("merges.txt"), limit: OrderedJSONReader.maximumByteCount)
                try self.init(bytePairs: bytes, merges: merges)
            } else {
                let json = try OrderedJSONReader.read(bytes)
                if json["pieces"] == nil { try self.init(json, json: bytes) } else { try self.init(pieces: json) }
            }
        } catch {
            throw error.code == .file
                ? error : GraftError(error.code, "\(file.printable): \(error.message)", cause: error.cause)
        }
    }

    /// The file to read for a path; `nil` where there is none.
    static func file(at path: String) -> String? {
        if FileBytes.byteCount(of: path) != nil { return path }
        let folder = path.hasSuffix("/") ? path : path + "/"
        let isThere = { (name: String) in FileBytes.byteCount(of: folder + name) != nil }
        if isThere("tokenizer.json") { return folder + "tokenizer.json" }
        if isThere("vocab.txt") { return folder + "vocab.txt" }
        return isThere("vocab.json") && isThere("merges.txt") ? folder + "vocab.json" : nil
    }

    private static func options(at path: String) throws(GraftError) -> BERTNormalizer {
        var options = BERTNormalizer()
        guard FileBytes.byteCount(of: path) != nil else { return options }
        let json = try OrderedJSONReader.read(try FileBytes.read(path, limit: 1 << 20))
        options.lowercases = try json.flag("do_lower_case", default: true)
        options.separatesChinese = try json.flag("tokenize_chinese_chars", default: true)
        options.stripsAccents = try json.flag("strip_accents", default: options.lowercases)
        return options
    }

    /// SHA-256 of ``json``, in hexadecimal: what names the vocabulary.
    public var fingerprint: String { SHA256.hash(json).hexadecimal }
}

// MARK: Files of before tokenizer.json

extension Tokenizer {
    /// BERT's tokenizer of a `vocab.txt`: a word piece a line, whose number is its id.
    ///
    /// - Parameter lowercase: whether texts are in lower case and without accents, as for models called *uncased*.
    /// - Throws: `GraftError` with code `format` for bytes that are no UTF-8, and where a special token is missing.
    public init(wordPieces bytes: [UInt8], lowercase: Bool = true) throws(GraftError) {
        try self.init(
            wordPieces: bytes, options: BERTNormalizer(stripsAccents: lowercase, lowercases: lowercase))
    }

    init(wordPieces bytes: [UInt8], options: BERTNormalizer) throws(GraftError) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw GraftError(.format, "a vocabulary of word pieces is text in UTF-8, and these bytes are not")
        }
        var vocabulary: [OrderedJSON.Member] = []
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (id, line) in lines.enumerated() {
            vocabulary.append(OrderedJSON.Member(name: Self.withoutSpacesAtEnd(line), value: .int(id)))
        }
        func id(_ token: String) throws(GraftError) -> Int {
            guard let id = vocabulary.lastIndex(where: { $0.name.elementsEqual(token.utf8) }) else {
                throw GraftError(
                    .format, "the vocabulary has no \(token), which BERT needs; it has \(vocabulary.count) lines")
            }
            return id
        }
        let (cls, sep) = (try id("[CLS]"), try id("[SEP]"))
        var added: [OrderedJSON] = []
        for token in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] where (try? id(token)) != nil {
            added.append(Self.special(token, try id(token)))
        }
        let json: OrderedJSON = [
            "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": .array(added),
            "normalizer": [
                "type": "BertNormalizer", "clean_text": .bool(options.cleansText),
                "handle_chinese_chars": .bool(options.separatesChinese), "strip_accents": .bool(options.stripsAccents),
                "lowercase": .bool(options.lowercases),
            ],
            "pre_tokenizer": ["type": "BertPreTokenizer"],
            "post_processor": ["type": "BertProcessing", "sep": ["[SEP]", .int(sep)], "cls": ["[CLS]", .int(cls)]],
            "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": true],
            "model": [
                "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": .object(vocabulary),
            ],
        ]
        try self.init(json, json: json.json)
    }

    private static func withoutSpacesAtEnd(_ line: ArraySlice<UInt8>) -> [UInt8] {
        var scalars = Array(line).scalars
        while let last = scalars.last, UnicodeTables.shared.classes(of: last).contains(.whitespace) {
            scalars.removeLast()
        }
        var bytes: [UInt8] = []
        for scalar in scalars { bytes.append(scalar: scalar) }
        return bytes
    }

    private static func special(_ token: String, _ id: Int) -> OrderedJSON {
        [
            "id": .int(id), "content": .string(Array(token.utf8)), "single_word": false, "lstrip": false,
            "rstrip": false,
            "normalized": false, "special": true,
        ]
    }

    /// GPT-2's tokenizer of `vocab.json` and `merges.txt`.
    ///
    /// - Throws: `GraftError` with code `format` for what is no vocabulary, and for merges that do not fit it.
    public init(bytePairs vocabulary: [UInt8], merges: [UInt8]) throws(GraftError) {
        let vocabulary = try OrderedJSONReader.read(vocabulary)
        guard vocabulary.members != nil else {
            throw GraftError(.format, "vocab.json must be an object of ids, is \(vocabulary.brief)")
        }
        guard String(validating: merges, as: UTF8.self) != nil else {
            throw GraftError(.format, "merges.txt is no text in UTF-8")
        }
        let lines = merges.split(separator: 0x0A).map { line in
            line.last == 0x0D ? line.dropLast() : line
        }
        let rules: [OrderedJSON] = lines.filter { !$0.isEmpty && !$0.starts(with: "#version".utf8) }.map {
            .string(Array($0))
        }
        let end = "<|endoftext|>"
        let json: OrderedJSON = [
            "version": "1.0", "truncation": .null, "padding": .null,
            "added_tokens": .array(vocabulary[end]?.integer.map { [Self.special(end, $0)] } ?? []),
            "normalizer": .null,
            "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true],
            "post_processor": [
                "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
            ],
            "decoder": ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true],
            "model": [
                "type": "BPE", "dropout": .null, "unk_token": .null, "continuing_subword_prefix": .null,
                "end_of_word_suffix": .null, "fuse_unk": false, "byte_fallback": false, "vocab": vocabulary,
                "merges": .array(rules),
            ],
        ]
        try self.init(json, json: json.json)
    }
}
