/// How a text is split before the model sees it: a value, as `tokenizer.json` has it.
indirect enum PreTokenizer: Sendable {
    /// At spaces, and around each punctuation mark.
    case bert
    /// Runs of word characters and runs of others: `\w+|[^\w\s]+`.
    case whitespace
    case whitespaceSplit
    case punctuation(DelimiterBehavior)
    case digits(individual: Bool)
    case byteLevel(addsPrefixSpace: Bool, usesPattern: Bool)
    case metaspace(Metaspace)
    case split([UInt8], DelimiterBehavior, isInverted: Bool)
    case sequence([PreTokenizer])

    /// Splits pieces further.
    func apply(to pieces: inout Pieces) {
        let tables = UnicodeTables.shared
        switch self {
        case .bert: Self.splitForBERT(&pieces, tables)
        case .whitespace: Self.splitWords(&pieces, tables)
        case .whitespaceSplit: pieces.split(.removed) { tables.classes(of: $0).contains(.whitespace) }
        case .punctuation(let behavior):
            pieces.split(behavior) { tables.classes(of: $0).contains(.punctuation) }
        case .digits(let individual):
            pieces.split(individual ? .isolated : .contiguous) { tables.classes(of: $0).contains(.numeral) }
        case .byteLevel(let addsPrefixSpace, let usesPattern):
            if addsPrefixSpace { Self.prefix(&pieces, [UInt8(ascii: " ")]) }
            if usesPattern { GPT2Pattern.split(&pieces, tables) }
        case .metaspace(let metaspace): metaspace.apply(to: &pieces)
        case .split(let pattern, let behavior, let isInverted):
            pieces.split(behavior, at: pattern, isInverted: isInverted)
        case .sequence(let parts): for part in parts { part.apply(to: &pieces) }
        }
    }

    /// Puts bytes in front of each piece that does not begin with them.
    static func prefix(_ pieces: inout Pieces, _ prefix: [UInt8], where applies: (Int) -> Bool = { _ in true }) {
        let bytes = pieces.text.bytes
        let isNeeded = pieces.ranges.contains { !bytes[$0].starts(with: prefix) && applies($0.lowerBound) }
        guard isNeeded else { return }
        pieces.rewrite { range, text, result in
            if !text.bytes[range].starts(with: prefix), applies(range.lowerBound) {
                result.append(prefix, for: range.lowerBound, of: text)
            }
            result.append(range, of: text)
        }
    }

    private static func splitForBERT(_ pieces: inout Pieces, _ tables: UnicodeTables) {
        pieces.split { bytes, range, result in
            var (start, position) = (range.lowerBound, range.lowerBound)
            while position < range.upperBound {
                let scalar = UTF8Scalar(bytes, at: position)
                let end = position + scalar.count
                let classes = tables.classes(of: scalar.value)
                if !classes.isDisjoint(with: [.whitespace, .punctuation]) {
                    if start < position { result.append(start..<position) }
                    if !classes.contains(.whitespace) { result.append(position..<end) }
                    start = end
                }
                position = end
            }
            if start < range.upperBound { result.append(start..<range.upperBound) }
        }
    }

    private static func splitWords(_ pieces: inout Pieces, _ tables: UnicodeTables) {
        enum Kind { case word, other, space }
        pieces.split { bytes, range, result in
            var (start, position, last) = (range.lowerBound, range.lowerBound, Kind.space)
            while position < range.upperBound {
                let scalar = UTF8Scalar(bytes, at: position)
                let classes = tables.classes(of: scalar.value)
                let kind: Kind =
                    classes.contains(.wordCharacter) ? .word : classes.contains(.whitespace) ? .space : .other
                if kind != last {
                    if last != .space, start < position { result.append(start..<position) }
                    (start, last) = (position, kind)
                }
                position += scalar.count
            }
            if last != .space, start < range.upperBound { result.append(start..<range.upperBound) }
        }
    }
}

/// Spaces as a visible character, as SentencePiece has them.
struct Metaspace: Sendable {
    /// Where the character is put in front.
    enum Scheme: String, Sendable {
        case always, first, never
    }

    /// U+2581 in practice.
    let replacement: [UInt8]
    let scheme: Scheme
    let splits: Bool

    func apply(to pieces: inout Pieces) {
        if pieces.text.bytes.contains(UInt8(ascii: " ")) {
            pieces.rewrite { range, text, result in
                var start = range.lowerBound
                for place in range where text.bytes[place] == UInt8(ascii: " ") {
                    result.append(start..<place, of: text)
                    result.append(replacement, for: place, of: text)
                    start = place + 1
                }
                result.append(start..<range.upperBound, of: text)
            }
        }
        switch scheme {
        case .always: PreTokenizer.prefix(&pieces, replacement)
        case .first:
            let starts = pieces.text.starts
            PreTokenizer.prefix(&pieces, replacement) { $0 < starts.count && starts[$0] == 0 }
        case .never: break
        }
        if splits { pieces.split(.mergedWithNext, at: replacement, isInverted: false) }
    }
}

// MARK: Reading

extension PreTokenizer {
    /// Reads a pre-tokenizer.
    ///
    /// - Throws: `format` for one that is not known here, or not whole.
    init(_ json: OrderedJSON) throws(GraftError) {
        let type = try json.member("type", "a text", \.text)
        switch type {
        case "BertPreTokenizer": self = .bert
        case "Whitespace": self = .whitespace
        case "WhitespaceSplit": self = .whitespaceSplit
        case "Punctuation": self = .punctuation(try json.behavior(default: .isolated))
        case "Digits": self = .digits(individual: try json.flag("individual_digits", default: false))
        case "ByteLevel":
            self = .byteLevel(
                addsPrefixSpace: try json.flag("add_prefix_space", default: true),
                usesPattern: try json.flag("use_regex", default: true))
        case "Metaspace": self = .metaspace(try Metaspace(json))
        case "Split":
            self = .split(
                try json.pattern("pattern"), try json.behavior(default: nil),
                isInverted: try json.flag("invert", default: false))
        case "CharDelimiterSplit":
            self = .split(try json.shortText("delimiter"), .removed, isInverted: false)
        case "Sequence":
            self = .sequence(
                try json.member("pretokenizers", "a list", \.elements).map { (part) throws(GraftError) in
                    try PreTokenizer(part)
                })
        default:
            throw GraftError(
                .format,
                "the pre-tokenizer \(type.prefix(40).description.printable) is not known; Graft has BertPreTokenizer, Whitespace, "
                    + "WhitespaceSplit, Punctuation, Digits, ByteLevel, Metaspace, Split, CharDelimiterSplit and Sequence"
            )
        }
    }

    /// Whether pieces are to be taken as bytes, each of which is a character to the model.
    var isByteLevel: Bool {
        switch self {
        case .byteLevel: true
        case .sequence(let parts): parts.contains(where: \.isByteLevel)
        default: false
        }
    }

    /// Whether what it does depends on where a piece lies in the original.
    var readsPlaces: Bool {
        switch self {
        case .metaspace(let metaspace): metaspace.scheme == .first
        case .sequence(let parts): parts.contains(where: \.readsPlaces)
        default: false
        }
    }
}

extension Metaspace {
    init(_ json: OrderedJSON) throws(GraftError) {
        replacement = try json.member("replacement", "one character") { value in
            value.bytes.flatMap { $0.scalars.count == 1 ? $0 : nil }
        }
        // Files of before say only whether; as they do, `false` counts for more than a scheme.
        if try !json.flag("add_prefix_space", default: true) {
            scheme = .never
        } else {
            scheme =
                try json.optional("prepend_scheme", "always, first or never") { $0.text.flatMap(Scheme.init) }
                ?? .always
        }
        splits = try json.flag("split", default: true)
    }
}

extension OrderedJSON {
    fileprivate func behavior(default usual: DelimiterBehavior?) throws(GraftError) -> DelimiterBehavior {
        let expected = "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous"
        let read: (OrderedJSON) -> DelimiterBehavior? = { $0.text.flatMap(DelimiterBehavior.init) }
        guard let usual else { return try member("behavior", expected, read) }
        return try optional("behavior", expected, read) ?? usual
    }
}

extension PreTokenizer {
    /// How many parts it has.
    var partCount: Int {
        if case .sequence(let parts) = self { 1 + parts.reduce(0) { $0 + $1.partCount } } else { 1 }
    }
}
