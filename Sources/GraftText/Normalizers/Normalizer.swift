/// What is done to a text before it is split: a value, as `tokenizer.json` has it.
indirect enum Normalizer: Sendable {
    case bert(BERTNormalizer)
    case form(UnicodeForm)
    case lowercase
    /// Removes all marks; the text is not decomposed first.
    case stripAccents
    case strip(left: Bool, right: Bool)
    case replace([UInt32], with: [UInt32])
    case prepend([UInt32])
    case sequence([Normalizer])

    /// Normalizes a text.
    func normalize(_ text: inout ScalarText) {
        let tables = UnicodeTables.shared
        switch self {
        case .bert(let normalizer): normalizer.normalize(&text)
        case .form(let form): form.normalize(&text)
        case .lowercase: text.lowercase(tables)
        case .stripAccents: text.keep { $0 < 0x300 || !tables.classes(of: $0).contains(.mark) }
        case .strip(let left, let right):
            text.strip(left: left, right: right) { tables.classes(of: $0).contains(.whitespace) }
        case .replace(let pattern, let content): text.replace(pattern, with: content)
        case .prepend(let prefix): text.prepend(prefix)
        case .sequence(let normalizers): for normalizer in normalizers { normalizer.normalize(&text) }
        }
    }
}

extension Normalizer {
    /// Reads a normalizer.
    ///
    /// - Throws: `format` for one that is not known here, or not whole.
    init(_ json: OrderedJSON) throws(GraftError) {
        let type = try json.member("type", "a text", \.text)
        switch type {
        case "BertNormalizer":
            let lowercases = try json.flag("lowercase", default: true)
            self = .bert(
                BERTNormalizer(
                    cleansText: try json.flag("clean_text", default: true),
                    separatesChinese: try json.flag("handle_chinese_chars", default: true),
                    stripsAccents: try json.flag("strip_accents", default: lowercases), lowercases: lowercases))
        case "NFC", "NFD", "NFKC", "NFKD": self = .form(UnicodeForm(rawValue: type) ?? .nfc)
        case "Lowercase": self = .lowercase
        case "StripAccents": self = .stripAccents
        case "Strip":
            self = .strip(
                left: try json.flag("strip_left", default: true), right: try json.flag("strip_right", default: true))
        case "Replace":
            self = .replace(
                try json.pattern("pattern").scalars, with: try json.shortText("content").scalars)
        case "Prepend": self = .prepend(try json.shortText("prepend").scalars)
        case "Sequence":
            self = .sequence(
                try json.member("normalizers", "a list", \.elements).map { (part) throws(GraftError) in
                    try Normalizer(part)
                })
        default:
            throw GraftError(
                .format,
                "the normalizer \(type.prefix(40).description.printable) is not known; Graft has BertNormalizer, NFC, NFD, NFKC, "
                    + "NFKD, Lowercase, StripAccents, Strip, Replace, Prepend and Sequence")
        }
    }
}

extension Normalizer {
    /// How many parts it has, and how many times as long it makes a text at most.
    var extent: (parts: Int, growth: Double) {
        switch self {
        case .replace(let pattern, let content): (1, PartLimits.growth(pattern.count, content.count))
        case .sequence(let parts):
            parts.reduce((1, 1)) { ($0.0 + $1.extent.parts, $0.1 * $1.extent.growth) }
        // One character becomes up to eighteen, but those become no more.
        default: (1, 1)
        }
    }
}
