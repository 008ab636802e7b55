import Foundation
import GraftTestSupport
import Testing

@testable import GraftText

@Suite struct TextSourceTests {
    /// A folder with these files, while the closure runs.
    private func with<Result>(_ files: [String: [UInt8]], _ body: (String) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("graft-text-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, bytes) in files {
            let file = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
        }
        return try body(folder.path)
    }

    private func with<Result>(_ name: String, _ text: String, _ body: (String) throws -> Result) throws -> Result {
        try with([name: Array(text.utf8)]) { try body($0 + "/" + name) }
    }

    @Test(arguments: [
        ("t.csv", "text,category\r\n\"a, b\nc\",x\r\nd,y\r\n"), ("t.csv", "Category , TEXT\nx,\"a, b\nc\"\ny,d\n"),
        ("t.tsv", "label\tsentence\nx\ta, b\\nc\ny\td\n"),
        ("t.jsonl", #"{"text": "a, b\nc", "label": "x"}"# + "\n\n" + #"{"text": "d", "label": "y", "other": [1]}"#),
    ]) func tablesAreReadByTheNamesOfTheirColumns(name: String, content: String) throws {
        try with(name, content) { path in
            #expect(TextListing.isText(path))
            let listing = try TextListing(at: path)
            let first = name == "t.tsv" ? "a, b\\nc" : "a, b\nc"
            #expect(listing.entries.map(\.text) == [first, "d"])
            #expect(listing.entries.map(\.labels) == [["x"], ["y"]])
            #expect(!listing.hasParts)
        }
    }

    @Test func columnsAreChosen() throws {
        try with("t.csv", "id,title,text,stars\n1,good,a b,5\n2,bad,c d,1\n") { path in
            let listing = try TextListing(at: path, columns: .init(text: "Title", label: "stars"))
            #expect(listing.entries.map(\.text) == ["good", "bad"])
            #expect(listing.entries.map(\.labels) == [["5"], ["1"]])
            let texts = try LabelledTexts(listing, task: .regression)
            #expect(texts.training.values == [[5], [1]])
            #expect(texts.training.labels.isEmpty)
        }
    }

    @Test func quotesAreCharactersInTabSeparatedValues() throws {
        try with("t.tsv", "text\tlabel\nhe said \"no\"\tx\n\"\ty\n") { path in
            let listing = try TextListing(at: path)
            #expect(listing.entries.map(\.text) == ["he said \"no\"", "\""])
        }
    }

    @Test func tablesOfImagesAreNone() throws {
        try with("t.csv", "path,label,text\na.png,x,what it shows\n") { #expect(!TextListing.isText($0)) }
        try with("t.csv", "name,size\na,1\n") { path in
            #expect(!TextListing.isText(path))
            let error = graftError { _ = try TextListing(at: path) }
            #expect(
                error?.message.contains("its first line names the columns name, size; expected a first line") == true)
        }
    }

    @Test func foldersOfTextFilesAreClasses() throws {
        let latin: [UInt8] = Array("caf".utf8) + [0xE9]
        try with([
            "ham/1.txt": Array("\u{FEFF}hello".utf8), "ham/2.txt": [0xFF, 0xFE, 0x68, 0, 0x69, 0],
            "spam/1.txt": Array("buy\nnow".utf8),
            "spam/2.txt": latin, "spam/3.txt": Array(" \n".utf8), "spam/logo.png": [1],
        ]) { folder in
            #expect(TextListing.isText(folder))
            let texts = try LabelledTexts(at: folder)
            #expect(texts.classNames == ["ham", "spam"])
            #expect(texts.training.texts == ["hello", "hi", "buy\nnow"])
            #expect(texts.training.labels == [0, 0, 1])
            let reasons = texts.problems.map(\.reason)
            #expect(reasons.contains { $0.hasPrefix("is not UTF-8: byte 4 is 0xe9") })
            #expect(reasons.contains("is empty"))
            #expect(reasons.contains("has the extension .png, which is none of a text that Graft reads"))
        }
    }

    @Test func partsAreThoseOfTheTableOrFollowFromTheTexts() throws {
        try with("t.csv", "text,label,split\na,x,train\nb,y,train\nc,x,test\nd,y,val\n") { path in
            let texts = try LabelledTexts(at: path, validationSplit: 0.5)
            #expect(texts.training.texts == ["a", "b"])
            #expect(texts.validation?.texts == ["d"])
            #expect(texts.test?.texts == ["c"])
            #expect(texts.validationShare == nil)
        }
        let rows = (0..<40).map { "text \($0),\($0 % 2 == 0 ? "x" : "y")" }
        func validation(_ rows: [String]) throws -> Set<String> {
            try with("t.csv", "text,label\n" + rows.joined(separator: "\n")) { path in
                Set(try LabelledTexts(at: path, validationSplit: 0.25).validation?.texts ?? [])
            }
        }
        let set = try validation(rows)
        #expect(set.count == 10)
        let turned = try validation(rows.reversed())
        #expect(turned == set)
    }

    @Test func severalLabelsAreTargetsOfNoughtAndOne() throws {
        try with("t.csv", "text,label\na,x|y\nb,\nc,y\n") { path in
            let texts = try LabelledTexts(at: path)
            #expect(texts.task == .labels)
            #expect(texts.training.values == [[1, 1], [0, 0], [0, 1]])
        }
    }

    @Test(arguments: [
        ("text,label\na,x\n", "has the single label x; telling texts apart takes at least two"),
        (
            "text\na\n",
            "no text has a label; say them in a column label or category, or put files into folders of classes"
        ),
        (
            "text,label,split\na,x,train\nb,y,test\n",
            "the label y has no text for training; give it one, or leave it out"
        ),
        ("text,label,split\na,x,best\n", "line 2: its split is 'best'; the parts are train, validation and test"),
        ("text,label\na\n", "line 2: it has 1 fields, the first line 2"),
    ]) func whatCannotBeLearnedIsSaid(content: String, message: String) throws {
        try with("t.csv", content) { path in
            let error = graftError { _ = try LabelledTexts(at: path) }
            #expect(error?.message.hasSuffix(message) == true, "\(error?.message ?? "none")")
        }
    }

    @Test func theAuditFindsWhatHarms() throws {
        let text = """
            text,label,split
            My card!,a,train
            my  CARD!,a,test
            same,a,train
            same,b,train
            twice,b,train
            twice,b,train
             ,a,train
            cafÃ© is closed,b,train
            what\u{FFFD},a,train
            none,,train
            """
        try with("t.csv", text) { path in
            var tokenizer = try Fixture.tokenizer("bert-uncased")
            tokenizer.truncation = try .init(maximumLength: 4)
            let audit = try TextAudit(TextListing(at: path), tokenizer: tokenizer, maximumLength: 12)
            let kinds = Dictionary(grouping: audit.findings, by: \.kind).mapValues(\.count)
            #expect(kinds[.leak] == 1 && kinds[.conflict] == 1 && kinds[.duplicate] == 1 && kinds[.empty] == 1)
            #expect(kinds[.encoding] == 2 && kinds[.unlabelled] == 1)
            #expect(audit.findings.first { $0.kind == .leak }?.names == ["\(path):2", "\(path):3"])
            #expect(audit.findings.first?.kind == .empty)
        }
    }

    @Test func linesOfAFileAreTexts() throws {
        let lines = try TextFile.lines(Array("a\r\n\n b \n".utf8))
        #expect(lines == ["a", " b "])
        let error = graftError { _ = try TextFile.lines([0x61, 0xFF]) }
        #expect(error?.message.hasPrefix("is not UTF-8: byte 2 is 0xff") == true)
    }
}

@Suite struct TextDatasetTests {
    @Test func textsAreFilledUpToTheShortestLengthThatHoldsThem() throws {
        let tokenizer = try Fixture.tokenizer("bert-uncased")
        let rule = try tokenizer.rule(maximumLength: 40)
        #expect(rule.paddedLengths == [16, 32, 40])
        let long = String(repeating: "a ", count: 100)
        let examples = TextExamples(texts: ["a", long, "a a a a a a a a a a a a a a a a", "b"])
        let tokens = try TokenizedTexts(examples.texts, rule)
        #expect(tokens.cutCount == 1)
        #expect(tokens.ids[1].count == 40 && tokens.ids[1].last == 3)
        let datasets = tokens.datasets(of: examples)
        #expect(datasets.map(\.members) == [[0, 3], [2], [1]])
        #expect(datasets.map(\.dataset.length) == [16, 32, 40])
        let batch = try datasets[0].dataset.batch([1, 0])
        #expect(batch.inputs.map(\.shape) == [[2, 16], [2, 16]])
        #expect(batch.inputs.allSatisfy { $0.elementType == .int32 })
        #expect(batch.inputs[1].int32Scalars.prefix(16).reduce(0, +) == Int32(tokens.ids[3].count))
        #expect(Array(batch.inputs[0].int32Scalars[16...].prefix(tokens.ids[0].count)) == tokens.ids[0])
        #expect(batch.targets.isEmpty)
        #expect(throws: GraftError.self) { try datasets[0].dataset.batch([2]) }
    }

    @Test func fingerprintsTellTokensApart() throws {
        let rule = try Fixture.tokenizer("bert-uncased").rule(maximumLength: 16)
        let dataset = try TextDataset(TextExamples(texts: ["My card", "my CARD", "your card"]), rule)
        let prints = try (0..<3).map { try dataset.fingerprint(of: $0) }
        #expect(prints[0] == prints[1])
        #expect(prints[0] != prints[2])
    }

    @Test func theRuleCarriesTheTokenizer() throws {
        let tokenizer = try Fixture.tokenizer("roberta")
        let rule = try tokenizer.rule(maximumLength: 24)
        let data = try JSONEncoder().encode(InputRule.tokens(rule))
        guard case .tokens(let again) = try JSONDecoder().decode(InputRule.self, from: data) else {
            Issue.record("another kind of rule")
            return
        }
        #expect(again == rule)
        let text = "It's naïve: 你好 😀"
        let ids = try Tokenizer(again).encode(text).ids
        #expect(try ids == tokenizer.encode(text).ids)
        let other = try TokenRule(maximumLength: 24, vocabulary: "another", tokenizer: again.tokenizer)
        #expect(graftError { _ = try Tokenizer(other) }?.code == .format)
    }
}
