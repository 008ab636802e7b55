import Graft

/// What `graft audit` says of texts.
struct TextAuditReport {
    let options: Audit
    let console: Console

    /// So many of a kind are listed for people.
    private static let shownCount = 10

    /// Whether anything cannot be used or harms training.
    func run() throws -> Bool {
        guard options.sheet == nil else {
            throw GraftError(.argument, "--sheet: for images; \(options.path) holds texts")
        }
        let listing = try TextListing(at: options.path, columns: options.texts.columns)
        let audit = try TextAudit(
            listing,
            tokenizer: options.tokenizer.map { (path) throws(GraftError) in try Tokenizer(contentsOf: path) },
            maximumLength: options.maximumLength)
        show(audit)
        emit(audit)
        return audit.findings.contains { $0.severity != .note }
    }

    private func show(_ audit: TextAudit) {
        console.say("\(options.path): \(audit.textCount.of("text"))")
        for kind in TextFinding.Kind.allCases {
            let same = audit.findings.filter { $0.kind == kind }
            guard !same.isEmpty else { continue }
            console.say("\(kind.title): \(same.count.grouped)")
            for finding in same.prefix(Self.shownCount) {
                let names = finding.names.prefix(4).joined(separator: ", ")
                console.say("  " + [names, finding.detail].filter { !$0.isEmpty }.joined(separator: ": "))
            }
            if same.count > Self.shownCount { console.say("  and \((same.count - Self.shownCount).grouped) more") }
        }
        if audit.findings.isEmpty { console.say("nothing was found") }
    }

    private func emit(_ audit: TextAudit) {
        for finding in audit.findings {
            var object = JSONObject(event: "finding")
            object.add("kind", .string(finding.kind.rawValue))
            object.add("severity", .string(finding.severity.rawValue))
            object.add("paths", .strings(finding.names))
            object.add("detail", .string(finding.detail))
            console.emit(object)
        }
        var object = JSONObject(event: "audit")
        object.add("texts", .int(audit.textCount))
        for kind in TextFinding.Kind.allCases {
            let count = audit.findings.count { $0.kind == kind }
            if count > 0 { object.add(kind.rawValue, .int(count)) }
        }
        console.emit(object)
    }
}
