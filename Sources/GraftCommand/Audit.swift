import ArgumentParser
import Graft

/// `graft audit`
struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look for what is wrong with images or texts before training on them.",
        discussion: """
            PATH is a folder of images, as train takes it, or a table of them (.csv, .jsonl). Every file is opened and \
            decoded once; nothing is changed or deleted. Found are files that cannot be used (empty, truncated, damaged, no \
            images, pipes), what harms training (the same image in training and validation, or under two classes; copies and \
            near copies; tiny images; unequal and empty classes), and what Graft deals with by itself (CMYK, 16 bits, \
            animations, EXIF rotation, wrong extensions, stray and hidden files).

            Of texts (a table with a column for them, or class folders of .txt files) found are those that cannot be read or are \
            empty, the same text in several parts or under several classes or more than once, wrong encodings, unequal classes, and, \
            with --tokenizer and --maximum-length, those that a model would cut off.

            Exits with 0 whatever is found. With --strict it exits with 1 where anything cannot be used or harms.

            Example:
              graft audit photos --sheet suspicious.png
              graft audit questions.csv --tokenizer minilm/tokenizer.json --maximum-length 128
            """)

    @Argument(help: "A folder of images, or a table that names them (.csv, .jsonl).", completion: .file())
    var path: String

    @Flag(help: "Exit with 1 where something cannot be used or harms training.")
    var strict = false

    @Option(
        help: ArgumentHelp("Draw what is suspicious, side by side, into this file.", valueName: "file.png"))
    var sheet: String?

    @Option(help: ArgumentHelp("How many processor cores to use; all if not given.", valueName: "N"))
    var threads: Int?

    @OptionGroup(title: "Texts") var texts: TextArguments

    @Option(help: ArgumentHelp("Texts: what counts their tokens.", valueName: "file|folder"))
    var tokenizer: String?

    @Option(help: ArgumentHelp("Texts: the most tokens that a model reads; needs --tokenizer.", valueName: "N"))
    var maximumLength: Int?

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        try require(threads.map { $0 >= 1 } ?? true, "--threads", threads ?? 0, "at least 1")
        if let sheet { try require(sheet.hasSuffix(".png"), "--sheet", "'\(sheet)'", "a name that ends in .png") }
        if let maximumLength { try require(maximumLength >= 1, "--maximum-length", maximumLength, "at least 1") }
        try require(
            (tokenizer == nil) == (maximumLength == nil), "--maximum-length", maximumLength.map(String.init) ?? "none",
            "--tokenizer and --maximum-length together")
    }

    func run() throws {
        let console = output.console
        try explain(on: console) {
            if TextListing.isText(path, columns: texts.columns) {
                let isHarmful = try TextAuditReport(options: self, console: console).run()
                if strict, isHarmful { throw ExitCode(1) }
                return
            }
            if let sheet { try OutputFile.check(sheet, option: "--sheet") }
            let audit = try AuditReport.audit(path, threads: threads, on: console)
            let report = AuditReport(audit)
            report.show(on: console)
            if let sheet { try draw(audit, to: sheet, on: console) }
            report.emit(on: console)
            if strict, audit.findings.contains(where: { $0.severity != .note }) { throw ExitCode(1) }
        }
    }

    private func draw(_ audit: ImageAudit, to sheet: String, on console: Console) throws {
        let drawn = try audit.drawSuspicious(to: sheet)
        guard !drawn.isEmpty else {
            console.say("nothing suspicious can be drawn, so \(sheet) was not written")
            return
        }
        console.say("drew \(drawn.count.of("image")) into \(sheet), row by row:")
        for (number, image) in drawn.enumerated() {
            console.say("  \(number + 1)  \(image.kind.title): \(image.path)")
        }
        var object = JSONObject(event: "sheet")
        object.add("path", .string(sheet))
        object.add("images", .strings(drawn.map(\.path)))
        console.emit(object)
    }
}

/// What an audit found, for people and for programs.
struct AuditReport {
    private let audit: ImageAudit
    /// Findings of a kind, and files of a finding, that people are shown.
    private static let (shownFindings, shownPaths) = (5, 4)

    init(_ audit: ImageAudit) { self.audit = audit }

    /// Audits, and says how far it is.
    static func audit(_ path: String, threads: Int?, on console: Console) throws -> ImageAudit {
        let start = ContinuousClock.now
        let audit = try ImageAudit(of: path, threads: threads) { done, count in
            guard done % 64 == 0 || done == count else { return }
            console.progress(ProgressLine("audit", Progress(done: done, total: count, elapsed: start.secondsAgo)))
        }
        console.closeProgressLine()
        return audit
    }

    /// For people: a line for each kind, the first few of each below it.
    func show(on console: Console) {
        console.say(summary)
        var findings = audit.findings[...]
        while let kind = findings.first?.kind {
            let same = findings.prefix { $0.kind == kind }
            findings = findings.dropFirst(same.count)
            console.list(same.map(line), title: "\(kind.title)\(Self.note(on: kind))", most: Self.shownFindings)
        }
        if let loss = audit.cropLoss { console.say(Self.words(loss)) }
        let harmful = audit.findings.count { $0.severity != .note }
        console.say(harmful == 0 ? "nothing that harms" : "\(harmful.of("finding")) to look at; nothing was changed")
    }

    /// One object a finding, and one that sums up.
    func emit(on console: Console) {
        for finding in audit.findings { console.emit(Self.object(finding)) }
        var object = JSONObject(event: "audit")
        object.add("path", .string(audit.path))
        object.add("images", .int(audit.imageCount))
        object.add("usable", .int(audit.usableCount))
        var classes = JSONObject()
        for (name, parts) in audit.classCounts.sorted(by: { $0.key < $1.key }) {
            var counts = JSONObject()
            for part in DatasetPart.allCases { if let count = parts[part] { counts.add(part.rawValue, .int(count)) } }
            classes.add(name, .object(counts))
        }
        object.add("classes", .object(classes))
        var kinds = JSONObject()
        for kind in ImageFinding.Kind.allCases {
            let count = audit.findings.count { $0.kind == kind }
            if count > 0 { kinds.add(kind.rawValue, .int(count)) }
        }
        object.add("findings", .object(kinds))
        if let loss = audit.cropLoss {
            var crop = JSONObject()
            crop.add("images", .int(loss.imageCount))
            crop.add("mean", .number(loss.mean))
            crop.add("most", .number(loss.most))
            crop.add("paths", .strings(loss.worst))
            object.add("crop", .object(crop))
        }
        console.emit(object)
    }

    private static func words(_ loss: CropLoss) -> String {
        func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
        return
            "not square: \(loss.imageCount.of("image")), of which --fit crop would cut off \(percent(loss.mean)) on average and "
            + "\(percent(loss.most)) at most; --fit stretch, the default, and pad keep all"
    }

    static func object(_ finding: ImageFinding) -> JSONObject {
        var object = JSONObject(event: "finding")
        object.add("kind", .string(finding.kind.rawValue))
        object.add("severity", .string(finding.severity.rawValue))
        object.add("paths", .strings(finding.paths))
        object.add("detail", .string(finding.detail))
        return object
    }

    private var summary: String {
        let classes = audit.classCounts.count
        let unusable = audit.imageCount - audit.usableCount
        return "\(audit.path): \(audit.imageCount.of("image"))"
            + (classes > 0 ? " of \(classes) class\(classes == 1 ? "" : "es")" : ", no classes")
            + (unusable > 0 ? ", \(unusable.grouped) of them cannot be used" : ", all can be used")
    }

    private func line(_ finding: ImageFinding) -> String {
        let paths = finding.paths.prefix(Self.shownPaths).map(shown).joined(separator: ", ")
        let more = finding.paths.count - Self.shownPaths
        let place = paths + (more > 0 ? " and \(more.grouped) more" : "")
        return place.isEmpty ? finding.detail : "\(place): \(finding.detail)"
    }

    /// The path below what was audited.
    private func shown(_ path: String) -> String {
        let root = audit.path.hasSuffix("/") ? audit.path : audit.path + "/"
        return path.hasPrefix(root) ? String(path.dropFirst(root.count)) : path
    }

    private static func note(on kind: ImageFinding.Kind) -> String {
        switch kind.severity {
        case .unusable: " (left out)"
        case .problem: ""
        case .note: " (no harm)"
        }
    }
}
