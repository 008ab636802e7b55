import Foundation
import GraftData
import GraftGraph
import GraftModel
import Testing

@testable import GraftImages

@Suite struct ImageBytesTests {
    private let rule = ImageRule(height: 6, width: 5)
    /// Grey ramps of several sizes, as PNG files.
    private let files: [[UInt8]]

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "graft-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try DrawnImages.named("cells").write(to: folder.path, DrawnImages.Options(train: 1, validation: 0, size: 24))
        let paths = try ImageFiles(below: folder.path, rule: rule).paths
        files = try paths.map { try Array(Data(contentsOf: URL(filePath: $0))) }
        try #require(files.count >= 3)
    }

    @Test func aBatchIsWhatEachImageIsByItself() throws {
        let images = try ImageBytes(files, rule: rule, threads: 3)
        let batch = try images.batch([2, 0])
        #expect(batch.indices == [2, 0] && batch.failures.isEmpty && batch.targets.isEmpty)
        let rows = try [2, 0].map { try ImageResizer(rule: rule).resized(ImageDecoder().decode(files[$0])).scalars }
        #expect(batch.inputs.map(\.shape) == [[2, 6, 5, 3]])
        #expect(batch.inputs[0].scalars == rows[0] + rows[1])
        #expect(images.count == files.count && images.name(of: 1) == "image 1" && images.name(of: 99) == nil)
        #expect(try images.fingerprint(of: 0) == nil)
    }

    @Test func whatIsNoImageIsNamedAndLeftOut() throws {
        var broken = files
        broken[1] = Array(files[1].prefix(40))
        let images = try ImageBytes(broken, names: broken.indices.map { "upload \($0)" }, rule: rule)
        let batch = try images.batch([0, 1, 2])
        #expect(batch.indices == [0, 2] && batch.inputs[0].shape == [2, 6, 5, 3])
        #expect(batch.failures.map(\.index) == [1] && batch.failures.map(\.path) == ["upload 1"])
        let none = try images.batch([1])
        #expect(none.indices.isEmpty && none.inputs[0].shape == [0, 6, 5, 3] && none.failures.count == 1)
    }

    @Test func wrongArgumentsAreRefused() throws {
        #expect(throws: GraftError.self) { try ImageBytes(files, rule: ImageRule(height: 0, width: 5)) }
        #expect(throws: GraftError.self) { try ImageBytes(files, rule: rule, threads: 0) }
        #expect(throws: GraftError.self) { try ImageBytes(files, names: ["one"], rule: rule) }
        #expect(throws: GraftError.self) { try ImageBytes(files, rule: rule).batch([files.count]) }
    }
}
