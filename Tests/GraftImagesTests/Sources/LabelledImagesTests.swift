import Foundation
import GraftData
import GraftGraph
import Testing

@testable import GraftImages

private let rule = ImageRule(height: 4, width: 4)

@Suite struct LabelledImagesTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for number in 0..<10 {
            try folder.write(DrawnFile.png(number, width: 33, height: 32, colour: 0), to: "images/\(number).png")
        }
    }

    private func write(_ table: String, _ name: String = "all.csv") throws -> String {
        try folder.write(Array(table.utf8), to: name)
    }

    // MARK: Tables

    @Test func aTableSaysClassesAndParts() throws {
        let table = try write(
            "split,label,path,age\ntrain,cats,images/0.png,3\n,dogs,images/1.png,4\nval,cats,images/2.png,5\n"
                + "TEST,dogs,images/3.png,6\n")
        let images = try LabelledImages(at: table, rule: rule, validationSplit: 0.5)
        #expect(images.task == .classes && images.classNames == ["cats", "dogs"] && images.isDivided)
        #expect(images.training.paths == ["0", "1"].map { "\(folder.path)/images/\($0).png" })
        #expect(images.training.labels == [0, 1])
        #expect(images.validation?.labels == [0] && images.test?.labels == [1])
        #expect(images.validationSource == .folder)
        #expect(images[.test]?.count == 1)
    }

    @Test func aTableOfObjectsIsReadAlike() throws {
        let rows = [
            #"{"path": "images/0.png", "label": "cats", "more": [1, 2]}"#, "",
            #"{"path": "images/1.png", "label": ["dogs", "old"], "split": "test"}"#,
            #"{"path": "images/2.png", "label": "dogs|old", "split": "train"}"#,
        ]
        let images = try LabelledImages(at: write(rows.joined(separator: "\n"), "all.jsonl"), rule: rule)
        #expect(images.task == .labels && images.classNames == ["cats", "dogs", "old"])
        #expect(try images.training.targets(of: [0, 1]) == [Tensor([1, 0, 0, 0, 1, 1], shape: [2, 3])])
        #expect(try images.test?.targets(of: [0]) == [Tensor([0, 1, 1], shape: [1, 3])])
        #expect(images.training.classCounts == [1, 1, 1])
    }

    @Test func anImageMayHaveNoneOfSeveralLabels() throws {
        let table = try write("path,label\nimages/0.png,a|b\nimages/1.png,\nimages/2.png,b\n")
        let images = try LabelledImages(at: table, rule: rule)
        #expect(try images.training.targets(of: [1])[0] == Tensor([0, 0], shape: [1, 2]))
        let batch = try images.training.batch([0, 2])
        #expect(batch.targets == [Tensor([1, 1, 0, 1], shape: [2, 2])])
    }

    @Test func numbersAreTargetsOfARegression() throws {
        let table = try write("path,label\nimages/0.png,1.5|-2\nimages/1.png,3|1e2\nimages/2.png,\n")
        let images = try LabelledImages(at: table, rule: rule, task: .regression)
        #expect(images.task == .regression && images.classNames.isEmpty && images.training.classNames == nil)
        #expect(try images.training.targets(of: [0, 1]) == [Tensor([1.5, -2, 3, 100], shape: [2, 2])])
        #expect(images.training.targetWidth == 2)
        let statistics = images.training.targetStatistics
        #expect(statistics.means == [2.25, 49])
        #expect(statistics.deviations == [0.75, 51])
        #expect(images.problems.map(\.reason) == ["has no label"])
    }

    @Test func withoutAColumnForPartsAShareOfEachClassIsSetAsideAsOfAFolder() throws {
        let rows = (0..<10).map { "images/\($0).png,\($0 < 5 ? "a" : "b")" }
        let table = try write("path,label\n" + rows.joined(separator: "\n"))
        let images = try LabelledImages(at: table, rule: rule, validationSplit: 0.4, seed: 3)
        #expect(images.training.classCounts == [3, 3] && images.validation?.classCounts == [2, 2])
        #expect(images.validationSource == .split(0.4))
        let split = try ValidationSplit(fraction: 0.4, seed: 3)
        let names = (0..<5).map { "images/\($0).png" }
        let expected = zip(names, split.isValidation(names)).filter { $1 }.map { "\(folder.path)/\($0.0)" }
        #expect(images.validation?.paths.prefix(2).sorted() == expected)
    }

    @Test(
        "A table that makes no sense is an error with its line",
        arguments: [
            ("", "it is empty"), ("file,label\na,b\n", "names the columns file, label"),
            ("path,label\nimages/0.png\n", "line 2: it has 1 fields, the first line 2"),
            ("path,label\n\n,a\n", "line 3: its path is empty"),
            ("path,label,split\nimages/0.png,a,dev\n", "line 2: its split is 'dev'"),
            ("path,label\n\"images/0.png,a\n", "line 2: a quote is not closed"),
            ("path,label\nimages/0.png,a\nimages/1.png,a\n", "the single label a"),
            ("path\nimages/0.png\n", "no image has a label"),
            ("path,label\nimages/gone.png,a\n", "line 2: there is no such file"),
            ("path,label,split\nimages/0.png,a,test\nimages/1.png,b,test\n", "the label a has no image for training"),
            ("path,label,split\nimages/0.png,a,train\nimages/1.png,b,test\n", "the label b has no image for training"),
        ])
    func refusesTables(_ text: String, _ words: String) throws {
        let table = try write(text)
        let error = #expect(throws: GraftError.self) { try LabelledImages(at: table, rule: rule) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(error?.message.hasPrefix(table) == true)
    }

    @Test(
        "Objects that make no sense are errors with their lines",
        arguments: [
            "[1]", "{\"path\": 3}", "{\"label\": \"a\"}", "{\"path\": \"x\", \"label\": {}}", "\u{FF}",
            "{\"path\": \"x\"",
            "{\"path\": \"x\", \"label\": [[\"a\"]]}", "{\"path\": \"\"}", String(repeating: "[", count: 100_000),
        ])
    func refusesObjects(_ text: String) throws {
        let table = try write("{\"path\": \"images/0.png\", \"label\": \"a\"}\n" + text, "all.ndjson")
        let error = #expect(throws: GraftError.self) { try LabelledImages(at: table, rule: rule) }
        #expect(error?.message.contains("line 2") == true, "\(error?.message ?? "")")
    }

    @Test func labelsThatDoNotFitTheTaskAreRefused() throws {
        let several = try write("path,label\nimages/0.png,a|b\nimages/1.png,b\n")
        #expect(throws: GraftError.self) { try LabelledImages(at: several, rule: rule, task: .classes) }
        #expect(throws: GraftError.self) { try LabelledImages(at: several, rule: rule, task: .regression) }
        #expect(throws: GraftError.self) { try LabelledImages(at: several, rule: rule, classNames: ["a", "c"]) }
        let uneven = try write("path,label\nimages/0.png,1|2\nimages/1.png,3\n", "uneven.csv")
        #expect(throws: GraftError.self) { try LabelledImages(at: uneven, rule: rule, task: .regression) }
        let infinite = try write("path,label\nimages/0.png,inf\nimages/1.png,3\n", "infinite.csv")
        #expect(throws: GraftError.self) { try LabelledImages(at: infinite, rule: rule, task: .regression) }
    }

    @Test func aModelsClassesSetTheNumbers() throws {
        let table = try write("path,label\nimages/0.png,a\nimages/1.png,b\n")
        let images = try LabelledImages(at: table, rule: rule, classNames: ["b", "z", "a"])
        #expect(images.training.labels == [2, 0] && images.classNames == ["b", "z", "a"])
    }

    // MARK: Folders

    @Test func aFolderIsReadAsBefore() throws {
        try folder.writeImages(["photos/a/1.bmp", "photos/a/2.bmp", "photos/b/1.bmp", "photos/b/2.bmp", "photos/x.txt"])
        let before = try ImageFolder(at: folder.path + "/photos", rule: rule, validationSplit: 0.5, seed: 4)
        let images = try LabelledImages(at: folder.path + "/photos", rule: rule, validationSplit: 0.5, seed: 4)
        #expect(images.training.paths == before.training.paths && images.training.labels == before.training.labels)
        #expect(images.validation?.paths == before.validation?.paths)
        #expect(images.problems == before.problems && images.validationSource == before.validationSource)
        #expect(!images.isDivided)
    }

    @Test func whatIsHeldBackIsKnownByItsBytes() throws {
        for number in 0..<40 {
            try folder.write(
                DrawnFile.png(number, width: 33, height: 32, colour: 0), to: "photos/\(number % 2)/\(number).png")
        }
        let options = ImageSplit.Options(try SplitShares("0.5,0.25,0.25"))
        let images = try LabelledImages(at: folder.path + "/photos", rule: rule, split: options)
        let held = try HeldBackFiles(HeldBackFiles(images).configuration)
        #expect(held == HeldBackFiles(images))
        try FileManager.default.moveItem(atPath: folder.path + "/photos", toPath: folder.path + "/moved")
        func moved(_ paths: [String]) -> [String] { paths.map { $0.replacing("/photos/", with: "/moved/") } }
        for part in DatasetPart.allCases {
            let paths = moved(try #require(images[part]).paths)
            #expect(!paths.isEmpty)
            #expect(held.parts(of: paths).allSatisfy { $0 == (part == .training ? nil : part) })
        }
        #expect(held.parts(of: [folder.path + "/none.png"]) == [nil])
        for wrong: Configuration in [[:], ["test": "", "validation": 3], ["test": "AAAA", "validation": ""], 1] {
            #expect(throws: GraftError.self) { try HeldBackFiles(wrong) }
        }
    }

    // MARK: At little cost

    @Test func equalFilesAndEmptyOnesAreFoundWithoutDecoding() throws {
        for (seed, name) in [
            (1, "train/a/1"), (2, "train/a/2"), (3, "train/b/3"), (1, "validation/a/1"), (3, "train/a/3"),
        ] {
            try folder.write(DrawnFile.png(seed), to: "photos/\(name).png")
        }
        try folder.write(DrawnFile.png(9), to: "photos/validation/b/9.png")
        try folder.write([], to: "photos/train/b/0.png")
        let images = try LabelledImages(at: folder.path + "/photos", rule: rule)
        let findings = try images.quickFindings()
        #expect(findings.map(\.kind) == [.empty, .leak, .conflict])
        #expect(findings[1].paths.map { FolderListing.name(of: $0) } == ["1.png", "1.png"])
    }
}
