import Foundation
import GraftData
import GraftGraph
import Synchronization
import Testing

@testable import GraftImages

@Suite("Folders of drawn images")
struct DrawnFolderTests {
    private let folder: TemporaryFolder
    private let options = DrawnImages.Options(train: 2, validation: 1, size: 16)

    init() throws { folder = try TemporaryFolder() }

    private var target: String { folder.path + "/a/set" }

    private func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: target).filter { $0.contains(".") }.sorted()
    }

    @Test("each class gets as many files in each split as asked, and graft reads them without complaint")
    func writesSplits() throws {
        #expect(try DrawnImages.leaves.write(to: target, options) == 15)
        let names = ["birch", "ginkgo", "maple", "oak", "willow"]
        #expect(
            try files() == names.flatMap { ["train/\($0)/1.png", "train/\($0)/2.png"] }
                + names.map { "validation/\($0)/1.png" })
        let images = try ImageFolder(at: target, rule: ImageRule(height: 16, width: 16))
        #expect(images.classNames == names)
        #expect(images.training.count == 10)
        #expect(images.validation?.count == 5)
        #expect(images.problems.isEmpty)
    }

    @Test("a file holds the pixels of its image", arguments: DrawnImages.all)
    func writesPixels(_ set: DrawnImages) throws {
        try set.write(to: target, DrawnImages.Options(train: 1, validation: 2, size: 20, seed: 9))
        let path = "\(target)/validation/\(set.classNames[3])/2.png"
        let image = try set.image(class: 3, index: 2, split: .validation, seed: 9, size: 20)
        #expect(try ImageDecoder().decode(contentsOf: path) == image)
    }

    @Test("the files are the same from one thread and from several")
    func isTheSameFromManyThreads() throws {
        var alone = options
        alone.threads = 1
        var many = options
        many.threads = 4
        try DrawnImages.cells.write(to: folder.path + "/alone", alone)
        try DrawnImages.cells.write(to: folder.path + "/many", many)
        #expect(FileManager.default.contentsEqual(atPath: folder.path + "/alone", andPath: folder.path + "/many"))
    }

    @Test("the same set is replaced, and what is beyond the wanted number goes")
    func replacesTheSameSet() throws {
        try DrawnImages.leaves.write(to: target, options)
        let before = try ImageDecoder().decode(contentsOf: target + "/train/oak/1.png")
        try folder.write([], to: "a/set/.DS_Store")
        let fewer = DrawnImages.Options(train: 1, validation: 0, size: 16, seed: 2)
        #expect(try DrawnImages.leaves.write(to: target + "//", fewer) == 5)
        let names = ["birch", "ginkgo", "maple", "oak", "willow"]
        #expect(try files() == [".DS_Store"] + names.map { "train/\($0)/1.png" })
        #expect(!FileManager.default.fileExists(atPath: target + "/validation"))
        #expect(try ImageDecoder().decode(contentsOf: target + "/train/oak/1.png") != before)
    }

    @Test(
        "a folder with anything else in it stays as it is",
        arguments: ["notes.txt", "train/oak/1.png", "train/oak/notes.txt", "train/pine/1.png", "test/oak/1.png"])
    func refusesOthers(_ name: String) throws {
        try folder.write([1, 2, 3], to: "a/set/" + name)
        let error = #expect(throws: GraftError.self) { try DrawnImages.leaves.write(to: target, options) }
        #expect(error?.code == .file)
        #expect(error?.message.hasPrefix("\(target) is in use: it holds \(target)/") == true, "\(error?.message ?? "")")
        #expect(
            error?.message.hasSuffix(
                "which is no image of the sample set leaves. Choose another folder, or an empty one") == true)
        #expect(try files() == [name])
    }

    @Test("another set, a file and a name without letters are refused")
    func refusesOtherSets() throws {
        try DrawnImages.leaves.write(to: target, options)
        #expect(throws: GraftError.self) { try DrawnImages.cells.write(to: target, options) }
        #expect(try files().count == 15)
        let file = try folder.write([1], to: "file")
        let error = #expect(throws: GraftError.self) { try DrawnImages.cells.write(to: file, options) }
        #expect(error?.message == "\(file) is not a folder; choose another name for the folder of images")
        let empty = #expect(throws: GraftError.self) { try DrawnImages.cells.write(to: "", options) }
        #expect(empty?.message == "the folder's name is empty; give it one, such as cells")
    }

    @Test("numbers out of range are refused before anything is made")
    func refusesNumbers() {
        let cases: [(DrawnImages.Options, String)] = [
            (.init(train: 0), "train: got 0 images a class, needs 1 to 100000"),
            (.init(validation: -1), "validation: got -1 images a class, needs 0 to 100000"),
            (.init(size: 2000), "images of 2000 × 2000 pixels cannot be drawn; give a size of 16 to 1024"),
        ]
        for (options, message) in cases {
            let error = #expect(throws: GraftError.self) { try DrawnImages.cells.write(to: target, options) }
            #expect(error?.code == .argument)
            #expect(error?.message == message)
        }
        #expect(!FileManager.default.fileExists(atPath: target))
    }

    @Test("a run that is stopped leaves whole files, and the next one completes them")
    func stops() throws {
        let done = Mutex(0)
        let error = #expect(throws: GraftError.self) {
            try DrawnImages.leaves.write(
                to: target, options, isCancelled: { done.withLock { $0 >= 4 } },
                progress: { count, total in
                    #expect(total == 15)
                    done.withLock { $0 = max($0, count) }
                })
        }
        #expect(error?.code == .cancelled)
        let written = try files()
        #expect((4..<15).contains(written.count))
        for name in written { _ = try ImageDecoder().decode(contentsOf: "\(target)/\(name)") }
        // What a process that was killed left behind; no process has this number.
        try folder.write([1], to: "a/set/train/oak/.9.png.999999999.partial")
        #expect(try DrawnImages.leaves.write(to: target, options) == 15)
        #expect(try files().count == 15)
    }

    @Test("a folder that cannot be made is named with the system's reason")
    func explainsTheSystem() throws {
        let file = try folder.write([1], to: "file")
        let error = #expect(throws: GraftError.self) { try DrawnImages.leaves.write(to: file + "/set", options) }
        #expect(error?.code == .file)
        #expect(error?.message.contains("Not a directory") == true, "\(error?.message ?? "")")
    }
}
