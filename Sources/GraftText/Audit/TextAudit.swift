import GraftDigest

/// What is wrong with labelled texts, before training on them.
///
/// ```swift
/// for finding in TextAudit(try TextListing(at: "questions.csv")).findings { print(finding.kind.title, finding.names) }
/// ```
///
/// Two texts are the same where they differ in case and spaces alone.
public struct TextAudit: Sendable {
    /// What was found, the worst first.
    public let findings: [TextFinding]
    /// How many texts were looked at.
    public let textCount: Int

    /// So many times as many texts as the smallest class has make classes unequal.
    static let imbalanceRatio = 10

    /// Looks at all texts.
    ///
    /// - Parameters:
    ///   - listing: the texts.
    ///   - tokenizer: what counts tokens; without it no text is too long.
    ///   - maximumLength: the most tokens that the model reads.
    /// - Throws: `GraftError` with code `data` for a text that the tokenizer cannot take.
    public init(
        _ listing: TextListing, tokenizer: Tokenizer? = nil, maximumLength: Int? = nil
    ) throws(GraftError) {
        textCount = listing.entries.count
        var findings = listing.problems.map { problem in
            let kind: TextFinding.Kind =
                problem.kind == .unreadable ? (problem.reason.hasSuffix("empty") ? .empty : .unreadable) : .stray
            return TextFinding(kind: kind, names: [problem.path], detail: problem.reason)
        }
        findings += Self.repeated(listing.entries) + Self.encodings(listing.entries) + Self.labels(listing.entries)
        if let tokenizer, let maximumLength {
            findings += try Self.tooLong(listing.entries, tokenizer, maximumLength)
        }
        let order = TextFinding.Kind.allCases
        self.findings = findings.enumerated().sorted { left, right in
            let ranks = (order.firstIndex(of: left.element.kind) ?? 0, order.firstIndex(of: right.element.kind) ?? 0)
            return ranks.0 != ranks.1 ? ranks.0 < ranks.1 : left.offset < right.offset
        }.map(\.element)
    }

    /// The worst that can be said of texts that are the same.
    private static func repeated(_ entries: [TextListing.Entry]) -> [TextFinding] {
        var groups: [[UInt8]: [TextListing.Entry]] = [:]
        for entry in entries { groups[key(of: entry.text), default: []].append(entry) }
        let same = groups.values.filter { $0.count > 1 }.sorted { $0[0].name < $1[0].name }
        return same.flatMap { entries in
            var findings: [TextFinding] = []
            let names = entries.map(\.name)
            let labels = Set(entries.map(\.labels).filter { !$0.isEmpty })
            if labels.count > 1 {
                let list = labels.map { $0.joined(separator: " and ") }.sorted().joined(separator: ", ")
                findings.append(TextFinding(kind: .conflict, names: names, detail: "labelled \(list)"))
            }
            let parts = DatasetPart.allCases.filter { part in entries.contains { $0.part == part } }
            if parts.count > 1 {
                let list = parts.map(\.rawValue).joined(separator: " and ")
                findings.append(TextFinding(kind: .leak, names: names, detail: "in \(list)"))
            }
            return findings.isEmpty
                ? [TextFinding(kind: .duplicate, names: names, detail: "\(entries.count) times")] : findings
        }
    }

    /// A hash of the text in lower case with single spaces.
    private static func key(of text: String) -> [UInt8] {
        SHA256.hash(text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ").utf8)
    }

    private static func encodings(_ entries: [TextListing.Entry]) -> [TextFinding] {
        entries.compactMap { entry in
            if entry.text.unicodeScalars.contains("\u{FFFD}") {
                return TextFinding(
                    kind: .encoding, names: [entry.name],
                    detail: "has U+FFFD, where a program could not read a character")
            }
            guard isMisread(entry.text) else { return nil }
            return TextFinding(
                kind: .encoding, names: [entry.name],
                detail: "seems to be UTF-8 that was read as Latin-1 or Windows-1252, such as Ã© for é")
        }
    }

    /// Whether a text has two characters in a row that are the bytes of one in UTF-8: U+00C2…U+00F4 and U+0080…U+00BF.
    private static func isMisread(_ text: String) -> Bool {
        var last: UInt32 = 0
        for scalar in text.unicodeScalars {
            if (0xC2...0xF4).contains(last), (0x80...0xBF).contains(scalar.value) { return true }
            last = scalar.value
        }
        return false
    }

    private static func labels(_ entries: [TextListing.Entry]) -> [TextFinding] {
        let isLabelled = entries.contains { !$0.labels.isEmpty }
        var findings =
            isLabelled
            ? entries.filter(\.labels.isEmpty).map {
                TextFinding(kind: .unlabelled, names: [$0.name], detail: "has no label")
            } : []
        var counts: [String: Int] = [:]
        for entry in entries where entry.part == .training {
            for label in entry.labels { counts[label, default: 0] += 1 }
        }
        let sizes = counts.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        if let most = sizes.first, let least = sizes.last, most.value >= imbalanceRatio * least.value {
            findings.append(
                TextFinding(
                    kind: .imbalance, names: [],
                    detail: "\(most.key) has \(most.value) texts to train on and \(least.key) \(least.value)"))
        }
        return findings
    }

    private static func tooLong(
        _ entries: [TextListing.Entry], _ tokenizer: Tokenizer, _ maximumLength: Int
    ) throws(GraftError) -> [TextFinding] {
        var tokenizer = tokenizer
        (tokenizer.truncation, tokenizer.padding) = (nil, nil)
        return zip(entries, try tokenizer.ids(of: entries.map(\.text))).compactMap { entry, ids in
            guard ids.count > maximumLength else { return nil }
            return TextFinding(
                kind: .tooLong, names: [entry.name],
                detail: "has \(ids.count) tokens, of which \(maximumLength) are read")
        }
    }
}
