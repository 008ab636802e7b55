/// What is put around the tokens of one text or of two: `[CLS] A [SEP] B [SEP]`.
struct PostProcessor: Sendable {
    /// A part of a template.
    enum Item: Sendable, Equatable {
        case special([Int32], typeID: Int32)
        /// The first text, or the second.
        case text(isSecond: Bool, typeID: Int32)
    }

    /// What one text becomes.
    private(set) var single: [Item] = [.text(isSecond: false, typeID: 0)]
    /// What two become.
    private(set) var pair: [Item] = [.text(isSecond: false, typeID: 0), .text(isSecond: true, typeID: 1)]
    /// What they become without special tokens.
    private(set) var plainPair: [Item] = [.text(isSecond: false, typeID: 0), .text(isSecond: true, typeID: 1)]
    /// Whether offsets leave out spaces at the ends of tokens; `nil` where they do not, else whether a first space was added.
    private(set) var trimming: Trimming?

    struct Trimming: Sendable, Equatable {
        let addsPrefixSpace: Bool
    }

    /// No special tokens.
    init() {}

    /// How many special tokens there will be.
    func specialCount(isPair: Bool) -> Int {
        (isPair ? pair : single).reduce(0) { count, item in
            if case .special(let ids, _) = item { count + ids.count } else { count }
        }
    }

    /// One sequence of one text or of two.
    func process(_ first: TokenSequence, _ second: TokenSequence?, addsSpecialTokens: Bool) -> TokenEncoding {
        var encoding = TokenEncoding()
        let template = second == nil ? single : addsSpecialTokens ? pair : plainPair
        for item in template {
            switch item {
            case .special(let ids, let typeID):
                guard addsSpecialTokens else { continue }
                for id in ids { encoding.append(id, typeID, 0..<0, isSpecial: true) }
            case .text(let isSecond, let typeID):
                guard let sequence = isSecond ? second : first else { continue }
                encoding.append(sequence, typeID)
            }
        }
        return encoding
    }
}

// MARK: Reading

extension PostProcessor {
    /// Reads a post-processor.
    ///
    /// - Throws: `format` for one that is not known here, or not whole.
    init(_ json: OrderedJSON) throws(GraftError) {
        let type = try json.member("type", "a text", \.text)
        switch type {
        case "TemplateProcessing": try readTemplates(json)
        case "BertProcessing":
            let (cls, sep) = (try Self.token("cls", json), try Self.token("sep", json))
            let first: [Item] = [
                .special([cls], typeID: 0), .text(isSecond: false, typeID: 0), .special([sep], typeID: 0),
            ]
            (single, pair) = (first, first + [.text(isSecond: true, typeID: 1), .special([sep], typeID: 1)])
        case "RobertaProcessing":
            let (cls, sep) = (try Self.token("cls", json), try Self.token("sep", json))
            let first: [Item] = [
                .special([cls], typeID: 0), .text(isSecond: false, typeID: 0), .special([sep], typeID: 0),
            ]
            (single, pair) = (
                first,
                first + [.special([sep], typeID: 0), .text(isSecond: true, typeID: 0), .special([sep], typeID: 0)]
            )
            plainPair = [.text(isSecond: false, typeID: 0), .text(isSecond: true, typeID: 0)]
            try readTrimming(json)
        case "ByteLevel": try readTrimming(json)
        case "Sequence":
            for part in try json.member("processors", "a list", \.elements) {
                let processor = try PostProcessor(part)
                if let trimming = processor.trimming { self.trimming = trimming }
                if processor.single != single || processor.pair != pair {
                    guard single == Self().single, pair == Self().pair else {
                        throw GraftError(
                            .format, "a sequence of two post-processors that both add tokens is not supported")
                    }
                    (single, pair, plainPair) = (processor.single, processor.pair, processor.plainPair)
                }
            }
        default:
            throw GraftError(
                .format,
                "the post-processor \(type.prefix(40).description.printable) is not known; Graft has TemplateProcessing, "
                    + "BertProcessing, RobertaProcessing, ByteLevel and Sequence")
        }
    }

    private mutating func readTrimming(_ json: OrderedJSON) throws(GraftError) {
        let addsPrefixSpace = try json.flag("add_prefix_space", default: true)
        if try json.flag("trim_offsets", default: true) { trimming = Trimming(addsPrefixSpace: addsPrefixSpace) }
    }

    /// A text and its id.
    private static func token(_ name: String, _ json: OrderedJSON) throws(GraftError) -> Int32 {
        try json.member(name, "a token and its id") { value in
            guard let parts = value.elements, parts.count == 2, let id = parts[1].integer else { return nil }
            return (0...TokenRule.largestID).contains(id) ? Int32(id) : nil
        }
    }

    private mutating func readTemplates(_ json: OrderedJSON) throws(GraftError) {
        let specials = try json.member("special_tokens", "an object", { $0.members == nil ? nil : $0 })
        single = try Self.template("single", json, specials)
        pair = try Self.template("pair", json, specials)
        plainPair = pair
    }

    private static func template(
        _ name: String, _ json: OrderedJSON, _ specials: OrderedJSON
    ) throws(GraftError) -> [Item] {
        let parts = try json.member(name, "a list", \.elements)
        guard parts.count <= 64 else {
            throw GraftError(.format, "the template \(name) has \(parts.count) parts; at most 64")
        }
        var items: [Item] = []
        for part in parts {
            if let special = part["SpecialToken"] {
                items.append(
                    .special(try ids(try special.member("id", "a text", \.text), specials), typeID: try typeID(special))
                )
            } else if let text = part["Sequence"] {
                let isSecond = try text.member("id", "A or B") { ["A": false, "B": true][$0.text ?? ""] }
                items.append(.text(isSecond: isSecond, typeID: try typeID(text)))
            } else {
                throw GraftError(
                    .format, "a template has the part \(part.brief); it must be a Sequence or a SpecialToken")
            }
        }
        return items
    }

    private static func typeID(_ json: OrderedJSON) throws(GraftError) -> Int32 {
        try json.member("type_id", "a whole number from 0") { value in
            value.integer.flatMap { (0...TokenRule.largestID).contains($0) ? Int32($0) : nil }
        }
    }

    private static func ids(_ name: String, _ specials: OrderedJSON) throws(GraftError) -> [Int32] {
        guard let ids = specials[name]?["ids"]?.elements, ids.count <= 64 else {
            throw GraftError(
                .format, "the template's special token \(name.prefix(40).description.printable) has no ids")
        }
        return try ids.map { (id) throws(GraftError) in
            guard let id = id.integer, (0...TokenRule.largestID).contains(id) else {
                throw GraftError(.format, "an id of a special token must be a whole number from 0, is \(id.brief)")
            }
            return Int32(id)
        }
    }
}
