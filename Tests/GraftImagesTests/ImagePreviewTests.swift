import Foundation
import GraftData
import GraftGraph
import Testing

@testable import GraftImages

@Suite struct ImagePreviewTests {
    private let folder: TemporaryFolder
    private let paths: [String]

    init() throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        paths = try (0..<4).map { number in
            try folder.write(
                bitmap(width: 120, height: 60) { UInt8(truncatingIfNeeded: $0 / 360 &* 3 &+ number &* 53) },
                to: "\(number).bmp")
        }
    }

    private func files(_ paths: [String]? = nil, size: Int = 100) throws -> ImageFiles {
        try ImageFiles(paths: paths ?? self.paths, rule: ImageRule(height: size, width: size))
    }

    private func cell(_ sheet: DecodedImage, top: Int, left: Int, height: Int, width: Int) -> [UInt8] {
        (0..<height).flatMap { y in
            let start = 3 * ((top + y) * sheet.width + left)
            return sheet.pixels[start..<(start + 3 * width)]
        }
    }

    @Test func aRowIsWhatTheNetworkSeesAndThenItsFirstViews() throws {
        let recipe = try Augmentation("flip,rotate:30")
        let preview = try ImagePreview(of: files(), count: 2, augmentation: recipe, views: 3, seed: 7)
        #expect(preview.paths == [paths[0], paths[2]])
        #expect(preview.columns == ["as the network sees it", "view 1", "view 2", "view 3"])
        #expect(preview.sheet.height == 6 + 2 * 106 && preview.sheet.width == 6 + 4 * 106)
        let seen = try files().batch([2]).inputs[0].scalars.map { UInt8($0.rounded()) }
        #expect(cell(preview.sheet, top: 112, left: 6, height: 100, width: 100) == seen)
        let views = try AugmentedImages(files(), recipe, views: 3, seed: 7)
        let second = try views.batch([4 + 2]).inputs[0].scalars.map { UInt8($0.rounded()) }
        #expect(cell(preview.sheet, top: 112, left: 6 + 2 * 106, height: 100, width: 100) == second)
    }

    @Test func withoutAnAugmentationTheImageStandsBesideWhatTheNetworkSees() throws {
        let preview = try ImagePreview(of: files(), count: 1)
        #expect(preview.columns == ["as in its file", "as the network sees it"])
        // Twice as wide as high: 50 rows in the middle of the cell, grey above.
        #expect(cell(preview.sheet, top: 6, left: 6, height: 25, width: 100).allSatisfy { $0 == 96 })
        #expect(!cell(preview.sheet, top: 31, left: 6, height: 50, width: 100).contains(96))
        let seen = try files().batch([0]).inputs[0].scalars.map { UInt8($0.rounded()) }
        #expect(cell(preview.sheet, top: 6, left: 112, height: 100, width: 100) == seen)
    }

    @Test func smallImagesAreEnlargedAndWhatCannotBeReadIsPassedOver() throws {
        let broken = try folder.write([1, 2, 3], to: "broken.bmp")
        let preview = try ImagePreview(of: files([broken, paths[0], paths[1]], size: 32), count: 1)
        #expect(preview.paths == [paths[0]] && preview.failures.map(\.path) == [broken])
        // 32 pixels thrice.
        #expect(preview.sheet.height == 6 + 102 && preview.sheet.width == 6 + 2 * 102)
        let error = #expect(throws: GraftError.self) { try ImagePreview(of: files([broken])) }
        #expect(error?.message.contains("none of the images that were looked at can be read; the first: ") == true)
    }

    @Test func aSheetNobodyCanLookAtIsRefused() throws {
        let error = #expect(throws: GraftError.self) {
            try ImagePreview(of: files(size: 4000), count: 4, augmentation: .imageDataGenerator, views: 1000)
        }
        #expect(error?.code == .argument && error?.message.contains("take fewer images or views") == true)
        #expect(throws: GraftError.self) { try ImagePreview(of: files(), count: 0) }
    }

    @Test func theSheetIsWrittenAsPNG() throws {
        let preview = try ImagePreview(of: files(), count: 2)
        let path = folder.path + "/preview.png"
        try preview.write(to: path)
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        #expect(try ImageDecoder(channels: 3).decode(bytes) == preview.sheet)
    }
}
