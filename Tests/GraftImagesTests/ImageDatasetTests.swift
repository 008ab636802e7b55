import Foundation
import GraftData
import GraftGraph
import Synchronization
import Testing

@testable import GraftImages

@Suite("ImageDataset")
struct ImageDatasetTests {
    private let folder: TemporaryFolder
    private let paths: [String]

    init() throws {
        let folder = try TemporaryFolder()
        try folder.writeImages((0..<6).map { "\($0).bmp" })
        try folder.write(Array("no picture".utf8), to: "2.bmp")
        try folder.write([], to: "4.bmp")
        self.folder = folder
        paths = (0..<6).map { "\(folder.path)/\($0).bmp" }
    }

    private func dataset(_ rule: ImageRule = ImageRule(height: 3, width: 4), threads: Int? = nil) throws -> ImageDataset
    {
        try ImageDataset(
            paths: paths, labels: [0, 1, 0, 1, 0, 1], classNames: ["a", "b"], rule: rule, threads: threads)
    }

    @Test("a batch holds the pictures that were asked for, in that order, with their classes")
    func batchKeepsOrder() throws {
        let batch = try dataset().batch([5, 0, 3])
        #expect(batch.indices == [5, 0, 3])
        #expect(batch.failures.isEmpty)
        #expect(batch.inputs.map(\.shape) == [[3, 3, 4, 3]])
        #expect(batch.targets.map(\.scalars) == [[1, 0, 1]])
        #expect(batch.targets[0].shape == [3])
        for (row, index) in batch.indices.enumerated() {
            let pixels = try ImageDecoder().decode(contentsOf: paths[index]).pixels
            #expect(Array(batch.inputs[0].scalars[(row * 36)..<((row + 1) * 36)]) == pixels.map(Float.init))
        }
    }

    @Test("pictures that cannot be read are left out and named, and the others keep their places")
    func leavesOutFailures() throws {
        let batch = try dataset().batch([4, 1, 2, 3])
        #expect(batch.indices == [1, 3])
        #expect(batch.inputs[0] == (try dataset().batch([1, 3]).inputs[0]))
        #expect(batch.targets[0].scalars == [1, 1])
        #expect(batch.failures.map(\.index) == [4, 2])
        #expect(batch.failures.map(\.path) == [paths[4], paths[2]])
        #expect(batch.failures[0].message == "the file is empty (0 bytes)")
    }

    @Test("a batch without a readable picture is empty")
    func allFail() throws {
        let batch = try dataset().batch([2, 4])
        #expect(batch.inputs[0].shape == [0, 3, 4, 3])
        #expect(batch.targets[0].shape == [0])
        #expect(batch.failures.count == 2)
        #expect(try dataset().batch([]).inputs[0].shape == [0, 3, 4, 3])
    }

    @Test("the number of threads changes nothing", arguments: [1, 2, 7])
    func threadsChangeNothing(_ threads: Int) throws {
        let rule = ImageRule(height: 20, width: 17)
        let order = (0..<60).map { $0 % 6 }
        let expected = try dataset(rule, threads: 1).batch(order)
        let batch = try dataset(rule, threads: threads).batch(order)
        #expect(batch.inputs == expected.inputs)
        #expect(batch.failures == expected.failures)
    }

    @Test("numbers that are no picture's are refused", arguments: [[-1], [6], [0, 1, 99]])
    func refusesWrongIndices(_ indices: [Int]) throws {
        let dataset = try dataset()
        let error = #expect(throws: GraftError.self) { try dataset.batch(indices) }
        #expect(error?.code == .argument)
    }

    @Test("labels that fit neither paths nor names are refused")
    func refusesWrongLabels() {
        let rule = ImageRule(height: 2, width: 2)
        for labels in [[0], [0, 2], [0, -1]] {
            #expect(throws: GraftError.self) {
                try ImageDataset(paths: ["a", "b"], labels: labels, classNames: ["x", "y"], rule: rule)
            }
        }
    }

    @Test("a fingerprint follows the bytes and the rule, not the name or the class")
    func fingerprintsFollowContent() throws {
        let copy = folder.path + "/copy.bmp"
        try FileManager.default.copyItem(atPath: paths[0], toPath: copy)
        let first = try dataset()
        let copied = try ImageDataset(
            paths: [copy], labels: [1], classNames: ["a", "b"], rule: ImageRule(height: 3, width: 4))
        let fingerprint = try #require(try first.fingerprint(of: 0))
        #expect(fingerprint.count == 64)
        #expect(try copied.fingerprint(of: 0) == fingerprint)
        #expect(try first.fingerprint(of: 1) != fingerprint)
        let others = [
            ImageRule(height: 4, width: 3), ImageRule(height: 3, width: 4, channels: 1),
            ImageRule(height: 3, width: 4, resize: .antialias),
        ]
        for rule in others { #expect(try dataset(rule).fingerprint(of: 0) != fingerprint) }
    }

    @Test("after a batch, a fingerprint is that of the bytes in the batch")
    func fingerprintsFollowTheBatch() throws {
        let dataset = try dataset()
        let before = try dataset.fingerprint(of: 0)
        try folder.write(bitmap(width: 2, height: 2) { _ in 9 }, to: "0.bmp")
        #expect(try dataset.fingerprint(of: 0) == before)
        _ = try dataset.batch([0])
        #expect(try dataset.fingerprint(of: 0) != before)
    }

    @Test("a fingerprint of a file that is gone says so")
    func fingerprintOfMissingFile() throws {
        let files = try ImageFiles(paths: [folder.path + "/none.jpg"], rule: ImageRule(height: 2, width: 2))
        let error = #expect(throws: GraftError.self) { try files.fingerprint(of: 0) }
        #expect(error?.message == "\(folder.path)/none.jpg: cannot be opened: No such file or directory")
    }

    @Test("an audit reads every picture once and lists the unreadable ones")
    func audits() throws {
        let calls = Mutex<[Int]>([])
        let failures = try dataset().audit { done, count in
            #expect(count == 6)
            calls.withLock { $0.append(done) }
        }
        #expect(failures.map(\.index) == [2, 4])
        #expect(failures.map(\.path) == [paths[2], paths[4]])
        #expect(calls.withLock { $0.sorted() } == Array(1...6))
    }

    @Test("files without classes make batches without targets")
    func filesHaveNoTargets() throws {
        let files = try ImageFiles(paths: [paths[1], paths[2], paths[3]], rule: ImageRule(height: 3, width: 4))
        let batch = try files.batch([0, 1, 2])
        #expect(files.count == 3)
        #expect(batch.targets.isEmpty)
        #expect(batch.indices == [0, 2])
        #expect(batch.failures.map(\.path) == [paths[2]])
        #expect(try batch.inputs[0] == dataset().batch([1, 3]).inputs[0])
    }
}

@Suite("The shared photos", .enabled(if: sharedPhotos != nil, "the photos are not beside the package"))
struct SharedPhotoTests {
    @Test("are 1,000 for training and 399 for validation, of cats and dogs, and all can be read")
    func areAllThere() throws {
        let folder = try ImageFolder(at: #require(sharedPhotos), rule: ImageRule(height: 150, width: 150))
        #expect(folder.classNames == ["cats", "dogs"])
        #expect(folder.training.count == 1000)
        #expect(folder.validation?.count == 399)
        #expect(folder.problems.map { FolderListing.name(of: $0.path) } == ["LICENSE"])
        #expect(folder.audit().isEmpty)
    }

    /// Sums of TensorFlow's values, which `Tests/Keras/resize.py` takes of the same photos: a sum of integers and
    /// fractions in 64 bits, so that equal values give equal sums.
    @Test("become TensorFlow's values bit for bit", arguments: PhotoSums.all)
    func equalTensorFlow(_ sums: PhotoSums) throws {
        let path = try #require(sharedPhotos) + "/" + sums.file
        let files = try ImageFiles(paths: [path], rule: ImageRule(height: 150, width: 150))
        let values = try files.batch([0]).inputs[0].scalars.map(Double.init)
        #expect(values.reduce(0, +) == sums.sum)
        let weighted = values.enumerated().reduce(0) { $0 + $1.element * Double($1.offset % 97 + 1) }
        #expect(weighted == sums.weightedSum)
    }

    struct PhotoSums: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let sum: Double
        let weightedSum: Double
        var testDescription: String { file }

        private struct Collection: Decodable { let photos: [PhotoSums] }
        static let all = Fixtures.decoded(Collection.self, "resize.json").photos
    }
}
