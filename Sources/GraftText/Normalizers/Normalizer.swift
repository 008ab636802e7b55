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
                try json.pattern("pattern").scalars, with: try json.member("content", "a text", \.bytes).scalars)
        case "Prepend": self = .prepend(try json.member("prepend", "a text", \.bytes).scalars)
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

extension OrderedJSON {
    /// A pattern that is a text; regular expressions are refused.
    func pattern(_ name: String) throws(GraftError) -> [UInt8] {
        let pattern = try member(name, "an object", { $0.members == nil ? nil : $0 })
        if let text = pattern["String"]?.bytes { return text }
        throw GraftError(
            .format,
            "\(kind) has the pattern \(pattern["Regex"]?.brief ?? pattern.brief); Graft takes a text, {\"String\": …}, here and "
                + "no regular expression")
    }
}
