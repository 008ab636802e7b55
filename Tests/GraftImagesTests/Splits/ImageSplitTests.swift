import Foundation
import GraftData
import GraftGraph
import Testing

@testable import GraftImages

@Suite struct ImageSplitTests {
    private let folder: TemporaryFolder
    private let shares: SplitShares

    init() throws {
        folder = try TemporaryFolder()
        shares = try SplitShares(training: 0.6, validation: 0.2, test: 0.2)
    }

    /// Draws images, each different, into class folders in turn.
    private func draw(_ numbers: Range<Int>, classes: [String] = ["a", "b"]) throws {
        for number in numbers {
            let name = "\(classes[number % classes.count])/\(number).png"
            try folder.write(DrawnFile.png(number, width: 33, height: 32, colour: 0), to: name)
        }
    }

    private func split(_ options: ImageSplit.Options) throws -> ImageSplit {
        try ImageSplit(of: ImageListing(at: folder.path), options)
    }

    private func parts(_ options: ImageSplit.Options) throws -> [String: DatasetPart] {
        Dictionary(uniqueKeysWithValues: try split(options).listing.entries.map { ($0.name, $0.part) })
    }

    @Test func aFileStaysOnItsSideWhenOthersAreAdded() throws {
        try draw(0..<60)
        let before = try parts(ImageSplit.Options(shares))
        try draw(60..<160, classes: ["a", "b", "c"])
        let after = try parts(ImageSplit.Options(shares))
        #expect(after.count == 160)
        #expect(before.allSatisfy { after[$0.key] == $0.value })
        #expect(Set(before.values) == [.training, .validation, .test])
    }

    @Test func aFileStaysOnItsSideUnderAnotherName() throws {
        try draw(0..<40)
        let before = try parts(ImageSplit.Options(shares))
        for number in stride(from: 0, to: 40, by: 2) {
            try FileManager.default.moveItem(
                atPath: "\(folder.path)/a/\(number).png", toPath: "\(folder.path)/a/renamed \(number).png")
        }
        let after = try parts(ImageSplit.Options(shares))
        for number in stride(from: 0, to: 40, by: 2) {
            #expect(after["a/renamed \(number).png"] == before["a/\(number).png"])
        }
    }

    @Test func sharesHoldOnAverageAndTheSeedDecides() throws {
        try draw(0..<200)
        let first = try parts(ImageSplit.Options(shares))
        // Four standard deviations, √(0.2 · 0.8 · 200) = 5.7: another seed than those here would be outside once in 10,000.
        for part in [DatasetPart.validation, .test] {
            #expect(abs(first.values.count { $0 == part } - 40) < 23)
        }
        #expect(try parts(ImageSplit.Options(shares)) == first)
        #expect(try parts(ImageSplit.Options(shares, seed: 1)) != first)
    }

    @Test func anExactSplitGivesEachClassItsShares() throws {
        try draw(0..<60, classes: ["a", "b", "b"])
        let counts = try split(ImageSplit.Options(shares, exact: true)).listing.classCounts
        #expect(counts["a"] == [.training: 12, .validation: 4, .test: 4])
        #expect(counts["b"] == [.training: 24, .validation: 8, .test: 8])
    }

    @Test(arguments: [false, true])
    func copiesAndNearCopiesStayTogether(_ exact: Bool) throws {
        try draw(0..<40)
        for number in 0..<20 {
            try folder.write(DrawnFile.png(number, width: 33, height: 32, colour: 0), to: "a/copy \(number).png")
            try folder.write(DrawnFile.gif(number, width: 70, height: 68), to: "b/large \(number).gif")
        }
        let split = try split(ImageSplit.Options(shares, exact: exact))
        #expect(split.groupCount == 20)
        let parts = Dictionary(uniqueKeysWithValues: split.listing.entries.map { ($0.name, $0.part) })
        for number in 0..<20 {
            let own = parts["\(number % 2 == 0 ? "a" : "b")/\(number).png"]
            #expect(parts["a/copy \(number).png"] == own && parts["b/large \(number).gif"] == own, "image \(number)")
        }
    }

    @Test func imagesOfOneGroupStayTogetherAndStayWhereTheyAre() throws {
        for number in 0..<60 {
            try folder.write(
                DrawnFile.png(300 + number, width: 33, height: 32, colour: 0),
                to: "\(number % 2 == 0 ? "ill" : "well")/patient\(number / 3)_\(number).png")
        }
        let options = ImageSplit.Options(shares, groups: "patient(\\d+)_")
        let split = try split(options)
        #expect(split.groupCount == 20)
        var sides: [Int: Set<DatasetPart>] = [:]
        for entry in split.listing.entries {
            let number = try #require(Int(entry.name.split(separator: "_")[1].dropLast(4)))
            sides[number / 3, default: []].insert(entry.part)
        }
        #expect(sides.count == 20 && sides.values.allSatisfy { $0.count == 1 })
        // More images of a patient land where the patient is.
        try folder.write(DrawnFile.png(400, width: 33, height: 32, colour: 0), to: "ill/patient7_new.png")
        #expect(try parts(options)["ill/patient7_new.png"] == sides[7]?.first)
    }

    @Test func whatCannotBeReadIsLeftOutByName() throws {
        try draw(0..<6)
        try folder.write(Array("text".utf8), to: "a/words.png")
        let split = try split(ImageSplit.Options(shares))
        #expect(split.listing.entries.count == 6)
        #expect(split.listing.problems.map(\.path) == ["\(folder.path)/a/words.png"])
    }

    @Test(
        "Patterns that group nothing are refused, and say what is wrong",
        arguments: [
            ("(", "is no regular expression"), ("patient", "has 0 captures"), ("(a)(b)", "has 2 captures"),
            ("(?:x)", "has 0 captures"), ("[(]", "has 0 captures"), ("(nowhere)", "matches none of the 4 paths"),
        ])
    func refusesPatterns(_ pattern: String, _ words: String) throws {
        try draw(0..<4)
        let error = #expect(throws: GraftError.self) { try split(ImageSplit.Options(shares, groups: pattern)) }
        #expect(error?.code == .argument && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func sharesAreReadAndChecked() throws {
        let shares = try SplitShares("0.7, 0.2,0.1")
        #expect((shares.training, shares.validation, shares.test) == (0.7, 0.2, 0.1))
        #expect(try SplitShares("0.8,0.2").test == 0)
        for text in ["", "1", "0.5,0.4", "0,0.5,0.5", "0.7,0.4,-0.1", "a,b,c", "0.25,0.25,0.25,0.25", "nan,0.5,0.5"] {
            #expect(throws: GraftError.self, "\(text)") { try SplitShares(text) }
        }
        // No part without a share gets anything, wherever a place lies.
        let two = try SplitShares("0.8,0.2")
        let none = try SplitShares("0.9,0,0.1")
        for place in stride(from: 0.0, to: 1, by: 0.001) + [0x1.fffffffffffffp-1] {
            #expect(two.part(at: place) != .test && none.part(at: place) != .validation)
        }
    }

    @Test func aWrittenSplitIsReadAsItWas() throws {
        try draw(0..<12, classes: ["a,b", "=c", "quote\"d"])
        let split = try split(ImageSplit.Options(shares))
        let table = folder.path + "/splits.csv"
        try split.write(to: table)
        let listing = try ImageListing(at: table)
        #expect(listing.hasParts && listing.problems.isEmpty)
        #expect(listing.entries.map(\.labels) == split.listing.entries.map(\.labels))
        #expect(listing.entries.map(\.part) == split.listing.entries.map(\.part))
        #expect(listing.entries.allSatisfy { FolderListing.kind(of: $0.path) == .file })
        // A spreadsheet takes no path for a formula.
        #expect(try String(contentsOfFile: table, encoding: .utf8).contains("\n./=c/"))
        #expect(!listing.entries.contains { $0.name.hasPrefix("=") || $0.name.hasPrefix("/") })
    }

    @Test func aClassWithABarInItsNameIsNotWritten() throws {
        try draw(0..<4, classes: ["a|b", "c"])
        let split = try split(ImageSplit.Options(shares))
        let error = #expect(throws: GraftError.self) { try split.write(to: folder.path + "/s.csv") }
        #expect(error?.message.contains("a|b") == true)
    }
}
