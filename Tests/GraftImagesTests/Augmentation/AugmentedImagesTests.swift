import Foundation
import GraftData
import GraftGraph
import Testing

@testable import GraftImages

@Suite struct AugmentedImagesTests {
    private let folder: TemporaryFolder
    private let images: ImageDataset

    init() throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        let paths = try (0..<6).map { number in
            try folder.write(
                bitmap(width: 31, height: 23) { UInt8(truncatingIfNeeded: $0 &* 7 &+ number &* 53 ^ ($0 / 91)) },
                to: "\(number).bmp")
        }
        images = try ImageDataset(
            paths: paths, labels: [0, 1, 0, 1, 0, 1], classNames: ["a", "b"], rule: ImageRule(height: 16, width: 20))
    }

    private static let recipe: Augmentation = {
        var recipe = Augmentation.imageDataGenerator
        recipe.cropArea = 0.3...1
        (recipe.brightness, recipe.contrast, recipe.saturation, recipe.hue) = (0.2, 0.3, 0.4, 0.1)
        (recipe.grayscale, recipe.erasing) = (0.2, 0.5)
        return recipe
    }()

    private func views(
        _ recipe: Augmentation = recipe, views: Int = 3, seed: UInt64 = 1, sizes: [Size2D]? = nil, cacheLimit: Int = 0,
        of images: ImageDataset? = nil
    ) throws -> AugmentedImages {
        try AugmentedImages(
            images ?? self.images, recipe, views: views, seed: seed, sizes: sizes, cacheLimit: cacheLimit)
    }

    @Test func numbersAreViewTimesCountPlusImage() throws {
        let data = try views()
        #expect(data.count == 6 && data.views == 3)
        let batch = try data.batch([0, 6, 12, 17])
        #expect(batch.indices == [0, 6, 12, 17])
        #expect(batch.inputs.map(\.shape) == [[4, 16, 20, 3]])
        #expect(batch.targets == [Tensor([0, 0, 0, 1], shape: [4])])
        #expect(data.name(of: 17) == images.paths[5])
        #expect(throws: GraftError.self) { try data.batch([18]) }
        #expect(throws: GraftError.self) { try data.batch([-1]) }
    }

    @Test func aViewIsAFunctionOfSeedViewAndBytesAlone() throws {
        let data = try views()
        let all = Array(0..<18)
        let batch = try data.batch(all).inputs[0]
        // Another order, one at a time, another number of views, from a cache, on one thread.
        for number in all.reversed() {
            #expect(try data.batch([number]).inputs[0] == batch.rows([number]), "\(number)")
        }
        #expect(try views(views: 9).batch(all).inputs[0] == batch)
        let cached = try views(cacheLimit: 1 << 20)
        for _ in 0..<2 { #expect(try cached.batch(all).inputs[0] == batch) }
        let onOneThread = try ImageDataset(
            paths: images.paths, labels: images.labels, classNames: ["a", "b"], rule: ImageRule(height: 16, width: 20),
            threads: 1)
        #expect(try views(of: onOneThread).batch(all).inputs[0] == batch)
        // The file elsewhere and under another number.
        let moved = try folder.write([UInt8](Data(contentsOf: URL(filePath: images.paths[4]))), to: "moved/x.bmp")
        let other = try ImageDataset(
            paths: [images.paths[0], moved], labels: [0, 0], classNames: ["a", "b"],
            rule: ImageRule(height: 16, width: 20))
        #expect(try views(of: other).batch([3]).inputs[0] == batch.rows([10]))
    }

    @Test func viewsSeedsAndFilesDifferAndSoDoTheirFingerprints() throws {
        let (data, other) = (try views(), try views(seed: 2))
        let rows = try (0..<18).map { try data.batch([$0]).inputs[0] } + (0..<6).map { try other.batch([$0]).inputs[0] }
        for (index, row) in rows.enumerated() { #expect(!rows[..<index].contains(row)) }
        let keys = try (0..<18).compactMap { try data.fingerprint(of: $0) }
        let others = [other, try views(sizes: [Size2D(16, 20), Size2D(8)]), try views(.imageDataGenerator)]
        let more = try others.map { try #require(try $0.fingerprint(of: 0)) }
        #expect(Set(keys + more).count == 21)
        #expect(try views(views: 5).fingerprint(of: 7) == keys[7])
    }

    @Test func aRecipeThatChangesNothingGivesKerasResize() throws {
        let data = try views(Augmentation(), views: 2)
        let plain = try images.batch([0, 1, 2]).inputs[0]
        for first in [0, 6] {
            let view = try data.batch([first, first + 1, first + 2]).inputs[0]
            // Keras computes places with 32 bits, views with 64: at 31 pixels they differ by 4e-6 of a pixel, times 255.
            #expect(zip(view.elements, plain.elements).allSatisfy { abs($0 - $1) < 2e-3 })
        }
    }

    @Test func severalSizesShowTheSameView() throws {
        var recipe = Self.recipe
        recipe.erasing = 0
        let data = try views(recipe, sizes: [Size2D(64), Size2D(32)])
        let batch = try data.batch(Array(0..<18))
        #expect(batch.inputs.map(\.shape) == [[18, 64, 64, 3], [18, 32, 32, 3]])
        #expect(data.inputRule?.shape == [64, 64, 3] && data.inputCount == 2)
        let (large, small) = (batch.inputs[0], batch.inputs[1])
        #expect(try views(recipe, sizes: [Size2D(64)]).batch(Array(0..<18)).inputs[0] == large)
        // The centre of a small pixel lies between four large ones; the image is enlarged, so nearly linear there.
        let (means, values) = (Self.halved(large), small.elements)
        let difference = zip(means, values).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(values.count)
        // Those of other views are far apart.
        #expect(difference < 6)
        let turned = Array(values[(32 * 32 * 3)...] + values[..<(32 * 32 * 3)])
        #expect(zip(means, turned).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(values.count) > 30)
    }

    /// The means of blocks of 2 × 2 pixels.
    private static func halved(_ images: Tensor) -> [Float] {
        let (size, values) = (images.shape[1], images.elements)
        var means = [Float]()
        for image in 0..<images.shape[0] {
            for y in stride(from: 0, to: size, by: 2) {
                for index in 0..<(size / 2 * 3) {
                    let first = (image * size + y) * size * 3 + index / 3 * 6 + index % 3
                    let (upper, lower) = (values[first] + values[first + 3], values[first + size * 3])
                    means.append((upper + lower + values[first + size * 3 + 3]) / 4)
                }
            }
        }
        return means
    }

    @Test func anUnreadableImageIsMissingInAllViews() throws {
        try folder.write([1, 2, 3], to: "2.bmp")
        let batch = try views().batch([0, 2, 8, 9, 14])
        #expect(batch.indices == [0, 9])
        #expect(batch.failures.map(\.index) == [2, 8, 14])
        #expect(batch.failures.allSatisfy { $0.path == images.paths[2] })
        #expect(batch.inputs[0].shape[0] == 2 && batch.targets == [Tensor([0, 1], shape: [2])])
        #expect(try batch.inputs[0] == views().batch([0, 9]).inputs[0])
    }

    @Test func theCacheKeepsItsLimit() throws {
        let size = 31 * 23 * 3
        for (limit, kept) in [(0, 0), (size - 1, 0), (size, 1), (3 * size + 5, 3), (1 << 20, 6)] {
            let data = try views(cacheLimit: limit)
            for _ in 0..<2 { _ = try data.batch(Array(0..<18)) }
            #expect(data.cachedByteCount == kept * size)
        }
    }

    @Test func argumentsOutOfRangeThrow() throws {
        var wrong = Augmentation()
        wrong.rotation = 200
        #expect(throws: GraftError.self) { try views(wrong) }
        #expect(throws: GraftError.self) { try views(views: 0) }
        #expect(throws: GraftError.self) { try views(views: .max) }
        #expect(throws: GraftError.self) { try views(sizes: []) }
        #expect(throws: GraftError.self) { try views(sizes: [Size2D(0, 5)]) }
        #expect(throws: GraftError.self) { try views(cacheLimit: -1) }
    }

    @Test func imagesWithoutClassesHaveViewsToo() throws {
        let files = try ImageFiles(paths: images.paths, rule: ImageRule(height: 16, width: 20))
        let data = try AugmentedImages(files, Self.recipe, views: 3, seed: 1)
        #expect(try data.targets(of: [0, 17]).isEmpty)
        #expect(try data.batch([4, 16]).inputs == views().batch([4, 16]).inputs)
    }
}

extension Tensor {
    /// All elements, in order.
    var elements: [Float] { withUnsafeBuffer { Array($0) } }
}
