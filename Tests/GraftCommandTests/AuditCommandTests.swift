import Foundation
import Testing

/// `graft audit` and `graft split` as a user runs them, and what follows with `train`, `evaluate`, `predict` and `features`.
@Suite(.serialized) struct AuditCommandTests {
    private let folder: TemporaryFolder
    private let tool: GraftTool

    init() throws {
        folder = try TemporaryFolder()
        tool = GraftTool(folder: folder.url)
    }

    private func run(_ arguments: String...) throws -> GraftTool.Outcome { try tool.run(arguments) }

    private func picture(_ number: Int, red: UInt8 = 200, size: Int = 40) -> Data {
        Picture.bmp(red: red, green: 30, blue: 60, number: number, size: size)
    }

    // MARK: preview

    @Test func aSheetShowsWhatTheOptionsLeaveOfAnImage() throws {
        for number in 0..<2 { try folder.write(picture(number, size: 60), to: "photos/\(number).bmp") }
        let preview = try run(
            "preview", "photos", "--fit", "crop", "--window", "100:50", "--grey", "--input-size", "48")
        #expect(preview.status == 0 && preview.errors.isEmpty, "\(preview.errors)")
        #expect(preview.lines.first == "Pocket sees 48 × 48 pixels, resized by keras, by crop, window 100:50, grey")
        #expect(try run("preview", "photos", "--input-size", "0").status == 64)
    }

    // MARK: audit

    @Test func findingsAreSaidToPeopleAndToPrograms() throws {
        for (number, name) in ["train/a/1", "train/a/2", "train/b/3", "validation/a/1"].enumerated() {
            try folder.write(picture(number % 3), to: "photos/\(name).bmp")
        }
        try folder.write(picture(9), to: "photos/validation/b/9.bmp")
        try folder.write(Data(), to: "photos/train/b/empty.jpg")
        try folder.write(Data("words".utf8), to: "photos/train/b/text.png")

        let people = try run("audit", "photos")
        #expect(people.status == 0 && people.errors.isEmpty, "\(people.errors)")
        #expect(people.lines.first == "photos: 7 images of 2 classes, 2 of them cannot be used")
        #expect(people.output.contains("1 empty (left out):\n  train/b/empty.jpg: holds 0 bytes"))
        #expect(
            people.output.contains(
                "train/a/1.bmp, validation/a/1.bmp: hold the same bytes, and lie in train and validation"))

        let programs = try run("audit", "photos", "--json")
        let events = try programs.lines.map { try #require(JSONLine($0), "\($0)") }
        let findings = events.filter { $0.string("event") == "finding" }
        #expect(findings.allSatisfy { $0.names == ["event", "kind", "severity", "paths", "detail"] })
        #expect(Set(findings.compactMap { $0.string("kind") }).isSuperset(of: ["empty", "not_an_image", "leak"]))
        let last = try #require(events.last)
        #expect(last.names == ["event", "path", "images", "usable", "classes", "findings"])
        #expect(last.number("images") == 7 && last.number("usable") == 5)

        #expect(try run("audit", "photos", "--strict").status == 1)
        try folder.write(picture(0), to: "clean/a/1.bmp")
        try folder.write(Data("words".utf8), to: "clean/a/README")
        let clean = try run("audit", "clean", "--strict")
        #expect(clean.status == 0, "\(clean.output)")
        #expect(clean.lines.last == "nothing that harms")
    }

    @Test func namesFromOutsideDoNotReachTheTerminal() throws {
        for name in ["\u{1B}[2J", "two\nlines", "\u{202E}gpj"] {
            try folder.write(Data("words".utf8), to: "photos/a\u{7}/\(name).png")
            try folder.write(picture(4), to: "photos/b/\(name).bmp")
        }
        try folder.write(Data("\u{1B}]0;owned\u{7}".utf8), to: "photos/b/title.jpg")
        for arguments in [["audit", "photos"], ["audit", "photos", "--sheet", "sheet.png"], ["split", "photos"]] {
            let outcome = try tool.run(arguments)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let said = outcome.output + outcome.errors
            #expect(
                !said.unicodeScalars.contains { $0 != "\n" && ($0.value < 0x20 || $0.value == 0x202E) }, "\(arguments)")
        }
        #expect(try run("audit", "photos").output.contains("two\\nlines"))
        #expect(folder.exists("sheet.png"))
    }

    @Test func wrongUsageIsToldApartFromFailures() throws {
        #expect(try run("audit", "nowhere").status == 1)
        #expect(try run("audit", "photos", "--sheet", "sheet.jpg").status == 64)
        #expect(try run("split", "photos", "--train", "0.9").status == 64)
        #expect(try run("split", "photos", "--output", "splits.txt").status == 64)
        #expect(try run("train", "photos", "--split", "0.8,0.2", "--validation-split", "0.1").status == 64)
        #expect(try run("train", "photos", "--group-by", "(a)").status == 64)
        try folder.write(Data(), to: "photos/a/1.png")
        let none = try run("split", "photos")
        #expect(none.status == 1 && none.errors.contains("none of its 1 images can be read"))
    }

    // MARK: Split, train, evaluate, predict

    /// Sixty images of two classes.
    private func drawClasses() throws {
        for number in 0..<30 {
            try folder.write(picture(number, red: 220), to: "photos/red/\(number).bmp")
            try folder.write(picture(number, red: 10), to: "photos/dark/\(number).bmp")
        }
    }

    @Test func aSplitIsTrainedOnAndItsTestImagesAreRemembered() throws {
        try drawClasses()
        let split = try run(
            "split", "photos", "--exact", "--json", "--train", "0.6", "--validation", "0.2", "--test", "0.2")
        let event = try #require(JSONLine(split.output), "\(split.errors)")
        #expect(event.names == ["event", "output", "train", "validation", "test", "groups", "left_out"])
        let counts = ["train", "validation", "test"].map { Int(event.number($0) ?? 0) }
        #expect(counts.reduce(0, +) == 60 && counts.allSatisfy { $0 > 0 })

        let training = try run("train", "splits.csv", "--epochs", "1")
        #expect(training.status == 0, "\(training.errors)")
        #expect(training.output.contains("\(counts[1]) validation images by the split"))
        #expect(folder.exists("splits.keras"))

        // By the table, and by what the model remembers of a folder that says nothing.
        for images in ["splits.csv", "photos"] {
            let evaluation = try run("evaluate", "splits.keras", images, "--split", "test", "--json")
            let line = try #require(JSONLine(evaluation.output), "\(evaluation.errors)")
            #expect(line.number("images") == Double(counts[2]), "\(images)")
        }
        // A file that was added since is not one of those.
        try folder.write(picture(31, red: 110), to: "photos/red/new.bmp")
        let after = try run("evaluate", "splits.keras", "photos", "--split", "test", "--json")
        #expect(JSONLine(after.output)?.number("images") == Double(counts[2]))
    }

    @Test func severalLabelsAreLearnedAndPredicted() throws {
        try drawClasses()
        let rows = (0..<30).flatMap { number -> [String] in
            let parity = number % 2 == 0 ? "even" : "odd"
            return ["photos/red/\(number).bmp,red|\(parity)", "photos/dark/\(number).bmp,\(parity)"]
        }
        try folder.write(Data(("path,label\n" + rows.joined(separator: "\n")).utf8), to: "all.csv")
        let training = try run("train", "all.csv", "--epochs", "12", "--json")
        let epoch = try #require(training.lines.compactMap(JSONLine.init).last { $0.string("event") == "epoch" })
        #expect(Set(epoch.names).isSuperset(of: ["binary_accuracy", "f1_score", "average_precision", "val_f1_score"]))
        let evaluation = try #require(JSONLine(try run("evaluate", "all.keras", "all.csv", "--json").output))
        // Red is plain to see; half of the labels would be right by chance.
        #expect(evaluation.number("binary_accuracy").map { $0 > 0.6 } == true)
        let prediction = try #require(JSONLine(try run("predict", "all.keras", "photos/red/1.bmp", "--json").output))
        #expect(prediction.names == ["event", "path", "labels", "probabilities"])
        #expect(prediction.strings("labels")?.contains("red") == true)
    }

    @Test func numbersAreLearnedInTheirOwnScale() throws {
        for number in 0..<60 {
            try folder.write(picture(number % 30, red: UInt8(4 * number)), to: "photos/\(number).bmp")
        }
        let rows = (0..<60).map { #"{"path": "photos/\#($0).bmp", "label": [\#(1000 + 10 * $0), \#(-$0)]}"# }
        try folder.write(Data(rows.joined(separator: "\n").utf8), to: "all.jsonl")
        let training = try run("train", "all.jsonl", "--target", "regression", "--epochs", "20", "--l2", "0")
        #expect(training.status == 0, "\(training.errors)")
        let evaluation = try #require(JSONLine(try run("evaluate", "all.keras", "all.jsonl", "--json").output))
        // Both means for every image would be wrong by (150 + 15) / 2.
        #expect(evaluation.number("mean_absolute_error").map { $0 < 40 } == true, "\(evaluation.object)")
        let prediction = try #require(JSONLine(try run("predict", "all.keras", "photos/30.bmp", "--json").output))
        let values = try #require(prediction.object["values"] as? [Double])
        #expect(values.count == 2 && abs(values[0] - 1300) < 150 && abs(values[1] + 30) < 15, "\(values)")
    }

    @Test func aListOnStandardInputNamesTheImages() throws {
        for number in 0..<3 { try folder.write(picture(number), to: "photos/\(number).bmp") }
        let paths = (0..<3).map { "photos/\($0).bmp" }
        for text in [
            paths.joined(separator: "\n"), paths.joined(separator: "\r\n") + "\r\n", paths.joined(separator: "\0"),
        ] {
            let outcome = try tool.run(["features", "pocket", "-"], input: Data(text.utf8))
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try folder.contents(of: "features.txt") == paths.joined(separator: "\n") + "\n")
        }
        #expect(try tool.run(["features", "pocket", "-"], input: Data()).errors.contains("names no image"))
        #expect(
            try tool.run(["features", "pocket", "-"], input: Data([0x61, 0xFF])).errors.contains("a\\xff is not UTF-8"))
    }
}
