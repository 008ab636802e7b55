import Foundation
import GraftData
import GraftGraph
import Testing

@testable import GraftImages

@Suite struct ImageFoldsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Draws an image into a class folder; equal numbers give equal bytes.
    private func draw(_ number: Int, as name: String) throws {
        try folder.write(DrawnFile.png(number, width: 33, height: 32, colour: 0), to: name)
    }

    /// The fold of each file, by its name below the folder.
    private func folds(_ count: Int, seed: UInt64 = 0, groups: String? = nil) throws -> [String: Int] {
        let images = try ImageFolder(at: folder.path, rule: ImageRule(height: 8, width: 8)).training
        let folds = try ImageFolds(of: images, count: count, seed: seed, groups: groups)
        return Dictionary(
            uniqueKeysWithValues: zip(images.paths, folds.numbers).map { path, fold in
                (String(path.dropFirst(folder.path.count + 1)), fold ?? -1)
            })
    }

    @Test func eachClassIsSpreadOverAllFolds() throws {
        for number in 0..<40 { try draw(number, as: "\(number % 4 == 0 ? "a" : "b")/\(number).png") }
        let folds = try folds(5)
        for (name, each) in [("a", 2), ("b", 6)] {
            for fold in 0..<5 { #expect(folds.count { $0.key.hasPrefix(name) && $0.value == fold } == each) }
        }
        #expect(try self.folds(5, seed: 1) != folds)
    }

    @Test func foldsFollowFromBytesAndNotFromNames() throws {
        for number in 0..<20 { try draw(number, as: "\(number % 2 == 0 ? "a" : "b")/\(number).png") }
        let before = try folds(4)
        for number in 0..<20 {
            let name = number % 2 == 0 ? "a" : "b"
            try FileManager.default.moveItem(
                atPath: "\(folder.path)/\(name)/\(number).png", toPath: "\(folder.path)/\(name)/new \(19 - number).png")
        }
        let after = try folds(4)
        for number in 0..<20 {
            let name = number % 2 == 0 ? "a" : "b"
            #expect(after["\(name)/new \(19 - number).png"] == before["\(name)/\(number).png"])
        }
    }

    @Test func copiesAndGroupsStayTogether() throws {
        for number in 0..<12 {
            let name = number % 2 == 0 ? "a" : "b"
            try draw(number, as: "\(name)/p\(number)_1.png")
            try draw(number, as: "\(name)/p\(number)_2.png")
            try draw(100 + number, as: "\(name)/p\(number)_3.png")
        }
        let plain = try folds(3)
        let grouped = try folds(3, groups: #"/p(\d+)_"#)
        for number in 0..<12 {
            let name = number % 2 == 0 ? "a" : "b"
            #expect(plain["\(name)/p\(number)_1.png"] == plain["\(name)/p\(number)_2.png"])
            #expect(Set((1...3).map { grouped["\(name)/p\(number)_\($0).png"] }).count == 1)
        }
        #expect(throws: GraftError.self) { try folds(1) }
    }
}
