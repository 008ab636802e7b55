import Foundation
import Testing

/// `graft report`, `graft clean`, and what `predict` says of its answers, on drawn leaves and the network that is part of Graft.
@Suite struct ReportCommandTests {
    private let folder: TemporaryFolder
    private let tool: GraftTool

    /// Trained once: leaves of two kinds, one of them labelled as the other.
    private static let shared = Result { try ReportCommandTests() }

    private init() throws {
        folder = try TemporaryFolder()
        tool = GraftTool(folder: folder.url)
        _ = try tool.run("sample leaves --train 24 --validation 12 --size 64".split(separator: " ").map(String.init))
        for part in ["train", "validation"] {
            for name in ["birch", "maple", "oak"] {
                try FileManager.default.removeItem(at: folder.url.appending(path: "leaves/\(part)/\(name)"))
            }
        }
        try FileManager.default.moveItem(
            at: folder.url.appending(path: "leaves/train/ginkgo/3.png"),
            to: folder.url.appending(path: "leaves/train/willow/wrong.png"))
        let outcome = try tool.run(["train", "leaves", "--output", "model.keras", "--epochs", "20"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("after calibration by 24 images of validation"))
    }

    private static func run(_ arguments: String...) throws -> GraftTool.Outcome { try shared.get().tool.run(arguments) }

    @Test func aReportSaysWhatTheModelIsWorth() throws {
        let outcome = try Self.run("report", "model.keras", "leaves", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("the answer rests on the validation part of leaves"))
        let lines = outcome.lines.compactMap { JSONLine($0) }
        let summary = try #require(lines.last)
        #expect(summary.string("event") == "report" && summary.string("page") == "model.report.html")
        #expect(summary.number("images") == 24 && (summary.number("accuracy") ?? 0) >= 0.8)
        let page = try Self.shared.get().folder.contents(of: "model.report.html")
        #expect(page.contains("<h1>What model.keras is worth</h1>") && page.contains("graft report model.keras leaves"))
    }

    @Test func newImagesAreComparedWithoutLabels() throws {
        // Leaves of the same kinds that nobody saw; images of training would be found to lie nearer to training.
        let sample = try Self.run("sample", "leaves", "--output", "new", "--train", "24", "--size", "64", "--seed", "7")
        #expect(sample.status == 0, "\(sample.errors)")
        let new = try Self.shared.get().folder.url.appending(path: "new/train")
        for name in ["birch", "maple", "oak"] { try FileManager.default.removeItem(at: new.appending(path: name)) }
        let outcome = try Self.run(
            "report", "model.keras", "leaves", "--compare", "new/train", "--no-audit", "--output", "new.html",
            "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let events = outcome.lines.compactMap { JSONLine($0) }
        let drift = try #require(events.first { $0.string("event") == "drift" })
        #expect(drift.bool("found") == false && drift.number("images") == 24 && drift.number("new_images") == 48)
        #expect(events.count { $0.string("event") == "comparison" } > 20)
        #expect(outcome.errors.contains("48 new images look like those that this rests on"), "\(outcome.errors)")
        let files = try Self.shared.get().folder
        try files.drawPictures(["blue": 2], below: "few")
        let few = try Self.run("report", "model.keras", "leaves", "--compare", "few", "--output", "few.html")
        #expect(
            few.status == 1 && few.errors.contains("new images that can be read: 2; it takes at least 20"),
            "\(few.errors)")
        #expect(!files.exists("few.html"))
    }

    @Test func everyLabelIsRanked() throws {
        let outcome = try Self.run("clean", "leaves", "--model", "model.keras", "--all", "--json")
        let labels = outcome.lines.compactMap { JSONLine($0) }.filter { $0.string("event") == "suspect" }
        #expect(labels.count == 72 && labels[0].bool("suspected") == true && labels[71].bool("suspected") == false)
    }

    @Test func aWrongLabelIsListed() throws {
        let outcome = try Self.run("clean", "leaves", "--model", "model.keras", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let suspects = outcome.lines.compactMap { JSONLine($0) }.filter { $0.string("event") == "suspect" }
        let paths = suspects.compactMap { $0.string("path") }
        #expect(paths.contains { $0.hasSuffix("willow/wrong.png") }, "\(paths)")
        #expect(suspects.first { $0.string("path")?.hasSuffix("wrong.png") == true }?.string("suggestion") == "ginkgo")
    }

    @Test func aPredictionSaysHowSureItIs() throws {
        let files = try Self.shared.get().folder
        try files.drawPictures(["red": 1], below: "other")
        let outcome = try Self.run(
            "predict", "model.keras", "leaves/validation/ginkgo", "other/red", "--coverage", "0.9", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let answers = outcome.lines.compactMap { JSONLine($0) }
        #expect(answers.count == 13 && answers.dropLast().count { $0.bool("known") == true } >= 11)
        #expect(answers.last?.bool("known") == false, "\(outcome.lines.last ?? "")")
        #expect(answers.allSatisfy { $0.number("confidence") != nil && $0.strings("set") != nil })
        let words = try Self.run("predict", "model.keras", "other/red")
        #expect(words.output.contains("(unlike anything in training)"))
    }

    @Test func activationMapsAreWritten() throws {
        let outcome = try Self.run(
            "predict", "model.keras", "leaves/validation/ginkgo", "--activation-maps", "maps.npy", "--layer",
            "no-such-layer")
        #expect(outcome.status == 1 && outcome.errors.contains("there is no layer 'no-such-layer'"))
        let good = try Self.run("predict", "model.keras", "leaves/validation/ginkgo", "--activation-maps", "maps.npy")
        #expect(good.status == 0, "\(good.errors)")
        #expect(try Self.shared.get().folder.exists("maps.npy"))
    }

    @Test func whatCannotBeDoneIsSaid() throws {
        let both = try Self.run(
            "predict", "model.keras", "leaves", "--coverage", "0.9", "--views", "2", "--augment", "flip")
        #expect(both.status == 64)
        let page = try Self.run("report", "model.keras", "leaves", "--output", "page.txt")
        #expect(page.status == 64 && page.errors.contains("a name that ends in .html"))
        let empty = try Self.run("report", "model.keras", "nowhere")
        #expect(empty.status == 1 && empty.errors.contains("nowhere"))
    }
}
