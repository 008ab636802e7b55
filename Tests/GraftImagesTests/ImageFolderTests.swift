import Foundation
import GraftData
import GraftGraph
import Testing

@testable import GraftImages

private let rule = ImageRule(height: 2, width: 2)

@Suite("ImageFolder")
struct ImageFolderTests {
    @Test("one folder a class: classes and files in the order of their names, and everything for training")
    func readsClasses() throws {
        let folder = try TemporaryFolder()
        try folder.writeImages(["dogs/b.bmp", "dogs/a.bmp", "cats/2.bmp", "cats/10.bmp", "Birds/x.bmp"])
        let images = try ImageFolder(at: folder.path, rule: rule)
        #expect(images.classNames == ["Birds", "cats", "dogs"])
        let expected = ["Birds/x.bmp", "cats/10.bmp", "cats/2.bmp", "dogs/a.bmp", "dogs/b.bmp"]
        #expect(images.training.paths == expected.map { "\(folder.path)/\($0)" })
        #expect(images.training.labels == [0, 1, 1, 2, 2])
        #expect(images.training.classCounts == [1, 2, 2])
        #expect(images.validation == nil)
        #expect(images.test == nil)
        #expect(images.validationSource == .none)
        #expect(images.problems.isEmpty)
    }

    @Test(
        "train/, validation/ and test/ are parts, under each of their names",
        arguments: ["validation", "val", "valid", "Val"])
    func readsParts(_ validation: String) throws {
        let folder = try TemporaryFolder()
        try folder.writeImages(["train/a/1.bmp", "train/a/2.bmp", "train/b/3.bmp", "test/a/6.bmp", "test/b/7.bmp"])
        try folder.writeImages(["\(validation)/a/4.bmp", "\(validation)/b/5.bmp"])
        let images = try ImageFolder(at: folder.path + "/", rule: rule, validationSplit: 0.5)
        #expect(images.training.count == 3)
        #expect(images.validation?.paths == ["a/4.bmp", "b/5.bmp"].map { "\(folder.path)/\(validation)/\($0)" })
        #expect(images.validation?.labels == [0, 1])
        #expect(images.test?.labels == [0, 1])
        #expect(images.validationSource == .folder)
    }

    @Test("a folder named train with pictures in it is the class of trains")
    func trainMayBeAClass() throws {
        let folder = try TemporaryFolder()
        try folder.writeImages(["train/1.bmp", "car/2.bmp"])
        #expect(try ImageFolder(at: folder.path, rule: rule).classNames == ["car", "train"])
    }

    @Test("folders within a class's folder belong to the class, in Keras's order")
    func readsNestedFolders() throws {
        let folder = try TemporaryFolder()
        try folder.writeImages(["a/z.bmp", "a/n/2.bmp", "a/n/m/3.bmp", "a/n-1/1.bmp", "b/1.bmp"])
        let images = try ImageFolder(at: folder.path, rule: rule)
        let expected = ["a/z.bmp", "a/n/2.bmp", "a/n-1/1.bmp", "a/n/m/3.bmp", "b/1.bmp"]
        #expect(images.training.paths == expected.map { "\(folder.path)/\($0)" })
    }

    @Test("whatever is no picture in a class's folder takes no part and is listed")
    func listsProblems() throws {
        let folder = try TemporaryFolder()
        try folder.writeImages([
            "cats/1.bmp", "dogs/1.BMP", "dogs/2.JpEg", "loose.jpg", ".hidden/1.bmp", "__MACOSX/1.bmp",
        ])
        try folder.writeImages([
            "cats/.DS_Store", "cats/Thumbs.db", "cats/notes.txt", "cats/README", "cats/movie.mp4",
        ])
        try folder.write([], to: "LICENSE")
        try folder.makeFolder("empty/deeper")
        try folder.write([], to: "texts/1.txt")
        try folder.makeLink("cats/gone.jpg", to: "/nowhere/at/all")
        try folder.makeLink("cats/again", to: folder.path + "/dogs")
        let images = try ImageFolder(at: folder.path, rule: rule)
        #expect(images.classNames == ["cats", "dogs"])
        #expect(images.training.count == 3)
        let skipped = "was left by an operating system or archive program"
        let expected = [
            ".hidden: is hidden",
            "LICENSE: is no class folder",
            "__MACOSX: \(skipped)",
            "cats/.DS_Store: is hidden",
            "cats/README: has no extension, so it is not taken for a picture",
            "cats/Thumbs.db: \(skipped)",
            "cats/again: is a link to a folder, which is not followed",
            "cats/gone.jpg: is a link that leads nowhere",
            "cats/movie.mp4: has the extension .mp4, which is none of a picture that Graft reads",
            "cats/notes.txt: has the extension .txt, which is none of a picture that Graft reads",
            "empty: holds no pictures, so it is no class",
            "loose.jpg: lies beside the class folders, so it has no class",
            "texts: holds no pictures, so it is no class",
            "texts/1.txt: has the extension .txt, which is none of a picture that Graft reads",
        ]
        #expect(images.problems.map(\.description) == expected.map { "\(folder.path)/\($0)" })
    }

    @Test("links in a circle end, and links to classes elsewhere are followed")
    func survivesCircles() throws {
        let folder = try TemporaryFolder()
        let elsewhere = try TemporaryFolder()
        try folder.writeImages(["cats/1.bmp", "cats/deep/2.bmp"])
        try elsewhere.writeImages(["1.bmp"])
        try folder.makeLink("dogs", to: elsewhere.path)
        try folder.makeLink("loop", to: ".")
        try folder.makeLink("above", to: "..")
        try folder.makeLink("cats/deep/loop", to: "../..")
        let images = try ImageFolder(at: folder.path, rule: rule)
        #expect(images.classNames == ["cats", "dogs"])
        #expect(images.training.count == 3)
        #expect(images.problems.count == 3)
    }

    #if os(Linux)
        @Test("names that are not UTF-8 are listed")
        func listsUndecodableNames() throws {
            let folder = try TemporaryFolder()
            try folder.writeImages(["a/1.bmp", "b/1.bmp"])
            let name = Array("\(folder.path)/a/".utf8CString.dropLast()) + [-1, -2, 0x2E, 0x6A, 0x70, 0x67, 0]
            let file = try #require(fopen(name, "w"))
            fclose(file)
            let images = try ImageFolder(at: folder.path, rule: rule)
            #expect(images.training.count == 2)
            #expect(images.problems.map(\.path) == ["\(folder.path)/a/\\xff\\xfe.jpg"])
        }
    #endif

    @Test("a trained model's classes set the labels, and may be missing")
    func followsExpectedClasses() throws {
        let folder = try TemporaryFolder()
        try folder.writeImages(["cats/1.bmp", "dogs/1.bmp"])
        let images = try ImageFolder(at: folder.path, rule: rule, classNames: ["dogs", "birds", "cats"])
        #expect(images.training.labels == [2, 0])
        #expect(images.classNames == ["dogs", "birds", "cats"])
        let one = try TemporaryFolder()
        try one.writeImages(["cats/1.bmp"])
        #expect(try ImageFolder(at: one.path, rule: rule, classNames: ["cats", "dogs"]).training.labels == [0])
    }
}

@Suite("What ImageFolder refuses")
struct ImageFolderErrorTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let id: String
        let files: [String]
        var folder = ""
        var classNames: [String]?
        let code: GraftError.Code
        /// `@` stands for the folder's path.
        let message: String
        var testDescription: String { id }
    }

    static let refusals = [
        Refusal(
            id: "missing", files: [], folder: "/none", code: .file, message: "there is no folder @/none; check the path"
        ),
        Refusal(
            id: "a file", files: ["x.bmp"], folder: "/x.bmp", code: .file,
            message: "@/x.bmp is a file; expected a folder that holds one folder a class, or train/ and validation/"),
        Refusal(
            id: "empty", files: [], code: .data,
            message: "@ holds no pictures that can be used: it is empty. \(expectation)"),
        Refusal(
            id: "loose pictures", files: ["1.bmp", "2.bmp"], code: .data,
            message: "@ holds no pictures that can be used: 2 pictures lie in it directly, where they have no class. "
                + expectation),
        Refusal(
            id: "other files", files: ["cats/1.txt"], code: .data,
            message:
                "@ holds no pictures that can be used: it holds 2 other files or folders, such as @/cats/1.txt: has "
                + "the extension .txt, which is none of a picture that Graft reads. \(expectation)"),
        Refusal(
            id: "one class", files: ["cats/1.bmp"], code: .data,
            message: "@ holds a single class, cats; telling pictures apart takes at least two: "
                + "add a folder with pictures of something else"),
        Refusal(
            id: "a folder too high", files: ["photos/cats/1.bmp", "photos/dogs/1.bmp"], code: .data,
            message: "@ holds a single class, photos; telling pictures apart takes at least two: "
                + "if the folders in it (cats, dogs) are the classes, name @/photos instead"),
        Refusal(
            id: "different classes",
            files: ["train/a/1.bmp", "train/b/1.bmp", "validation/a/1.bmp", "validation/c/1.bmp"],
            code: .data,
            message: "the classes differ: b only in @/train; c only in @/validation. "
                + "Both need the same folders, each with at least one picture"),
        Refusal(
            id: "validation alone", files: ["val/a/1.bmp", "val/b/1.bmp"], code: .data,
            message: "@ holds val/ with classes in it, but no train/ beside it; "
                + "add the folder train, or name the folder @/val itself"),
        Refusal(
            id: "a class that the model does not know", files: ["cats/1.bmp", "cows/1.bmp"],
            classNames: ["cats", "dogs"],
            code: .data, message: "@ holds the classes cows, which the model does not know; it knows cats, dogs"),
    ]

    private static let expectation =
        "Expected one folder a class, such as @/cats and @/dogs, or train/ and validation/ that hold them, with files "
        + "named .avif, bmp, dcm, dicom, gif, heic, heif, jpe, jpeg, jpg, png, tif, tiff, webp"

    @Test("each refusal says what was found and what was expected", arguments: refusals)
    func explains(_ refusal: Refusal) throws {
        let folder = try TemporaryFolder()
        try folder.writeImages(refusal.files)
        let error = #expect(throws: GraftError.self) {
            try ImageFolder(at: folder.path + refusal.folder, rule: rule, classNames: refusal.classNames)
        }
        #expect(error?.code == refusal.code)
        #expect(error?.message == refusal.message.replacing("@", with: folder.path))
    }

    @Test("shares outside 0…1 are refused", arguments: [-0.1, 0, 1, 1.5, .nan, .infinity])
    func refusesShares(_ share: Double) throws {
        let error = #expect(throws: GraftError.self) {
            try ImageFolder(at: "/", rule: rule, validationSplit: share)
        }
        #expect(error?.code == .argument)
    }
}

@Suite("ValidationSplit")
struct ValidationSplitTests {
    private func names(_ count: Int, in folder: String = "cats") -> [String] {
        (0..<count).map { "\(folder)/photo \($0).jpg" }
    }

    private func validation(_ names: [String], fraction: Double = 0.2, seed: UInt64 = 0) throws -> Set<String> {
        let sides = try ValidationSplit(fraction: fraction, seed: seed).isValidation(names)
        return Set(zip(names, sides).filter(\.1).map(\.0))
    }

    @Test("the share is exact to the picture, at least one, and never all", arguments: [1, 2, 3, 7, 30, 500])
    func shareIsExact(_ count: Int) throws {
        for fraction in [0.01, 0.2, 0.5, 0.99] {
            let expected = count < 2 ? 0 : min(max(Int((Double(count) * fraction).rounded()), 1), count - 1)
            #expect(try validation(names(count), fraction: fraction).count == expected)
        }
    }

    @Test("the order of the files plays no part")
    func orderPlaysNoPart() throws {
        #expect(try validation(names(100)) == validation(names(100).reversed()))
    }

    @Test("another seed sets others aside")
    func seedsDiffer() throws {
        let splits = try (0..<5).map { try validation(names(100), seed: $0) }
        #expect(Set(splits).count == 5)
        #expect(try splits[3] == validation(names(100), seed: 3))
    }

    @Test("a picture that is added or removed moves at most one other across")
    func isStable() throws {
        var before = try validation(names(40))
        for count in 41...200 {
            let after = try validation(names(count))
            let old = Set(names(count - 1))
            #expect(after.intersection(old).symmetricDifference(before).count <= 1)
            before = after
        }
    }

    @Test("each class of a folder is split by itself, the parts share nothing, and together they are all")
    func splitsEachClass() throws {
        let folder = try TemporaryFolder()
        try folder.writeImages(names(20) + names(10, in: "dogs"))
        let images = try ImageFolder(at: folder.path, rule: rule, validationSplit: 0.2, seed: 4)
        let validation = try #require(images.validation)
        #expect(images.training.classCounts == [16, 8])
        #expect(validation.classCounts == [4, 2])
        #expect(images.validationSource == .split(0.2))
        let all = try ImageFolder(at: folder.path, rule: rule).training.paths
        #expect((images.training.paths + validation.paths).sorted() == all.sorted())
        let again = try ImageFolder(at: folder.path, rule: rule, validationSplit: 0.2, seed: 4)
        #expect(again.validation?.paths == validation.paths)
    }
}
