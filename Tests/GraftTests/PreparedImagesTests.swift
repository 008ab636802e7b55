import Foundation
import Graft
import Testing

@Suite struct PreparedImagesTests {
    private let leaves: DrawnLeaves
    private let classifier: Classifier

    init() throws {
        leaves = try DrawnLeaves()
        classifier = try Classifier(
            DrawnLeaves.model(outputs: 5, activation: .softmax),
            classNames: ["birch", "ginkgo", "maple", "oak", "willow"],
            options: TrainingOptions(threads: 1))
    }

    private func stacked(_ images: [Tensor]) -> Tensor {
        Tensor(images.flatMap(\.scalars), shape: Shape([images.count, 8, 8, 3]))
    }

    @Test func answersAreThoseOfFiles() throws {
        let paths = try leaves.images
        let images = try paths.map { try classifier.prepare(leaves.bytes(of: $0)) }
        #expect(images.allSatisfy { $0.shape == [8, 8, 3] })
        let expected = try classifier.classify(contentsOf: paths).map { try $0.get() }
        let whole = try classifier.classify(prepared: stacked(images), names: paths, batchSize: paths.count)
        #expect(whole == expected)
        // In batches of three, the last of one, which a plan for three computes.
        let parts = try classifier.classify(prepared: stacked(images), names: paths, batchSize: 3)
        #expect(parts.map(\.name) == paths)
        for (part, answer) in zip(parts, expected) {
            for (one, other) in zip(part.outputs, answer.outputs) { #expect(abs(one - other) < 1e-6) }
        }
    }

    @Test func aCalibratedModelSaysHowSureItIs() throws {
        let recipe = DrawnLeaves.recipe
        let drawn = try DrawnLeaves(train: 8, validation: 6)
        let images = try ImageFolder(at: drawn.folder, rule: recipe.rule)
        let calibrated = try ClassifierTraining(on: images, recipe, options: DrawnLeaves.options).run()
        #expect(calibrated.calibration != nil)
        let path = try #require(images.validation?.paths.first)
        let image = try calibrated.prepare([UInt8](Data(contentsOf: URL(filePath: path))))
        let rows = Tensor(image.scalars, shape: Shape([1] + image.shape.dimensions))
        let answer = try calibrated.classify(prepared: rows, names: [path], batchSize: 1)[0]
        let expected = try calibrated.classify(contentsOf: path)
        #expect(answer == expected && answer.assessment != nil)
        withExtendedLifetime(drawn) {}
    }

    @Test func wrongShapesAndNamesAreRefused() throws {
        let image = Tensor(zeros: [1, 8, 8, 3])
        for shape: Shape in [[8, 8, 3], [1, 8, 8, 1], [1, 7, 8, 3], [1, 192]] {
            let error = #expect(throws: GraftError.self) {
                try classifier.classify(prepared: Tensor(zeros: shape), names: ["x"], batchSize: 1)
            }
            #expect(error?.code == .shape)
        }
        #expect(throws: GraftError.self) { try classifier.classify(prepared: image, names: [], batchSize: 1) }
        #expect(throws: GraftError.self) { try classifier.classify(prepared: image, names: ["x"], batchSize: 0) }
        #expect(throws: GraftError.self) { try classifier.heatMap(ofPrepared: image) }
    }

    @Test func whatIsNoImageOrTooLargeIsRefused() throws {
        let bytes = try leaves.bytes(of: #require(leaves.images.first))
        _ = try classifier.prepare(bytes, pixelLimit: 32 * 32)
        for (bytes, limit) in [(bytes, 32 * 32 - 1), ([], 100), ([1, 2, 3], 100), (Array(bytes.prefix(40)), 1 << 20)] {
            let error = #expect(throws: GraftError.self) { try classifier.prepare(bytes, pixelLimit: limit) }
            #expect(error?.code == .image)
        }
    }

    @Test func heatMapsAndThumbnailsAreJPEG() throws {
        let bytes = try leaves.bytes(of: #require(leaves.images.first))
        let map = try #require(try classifier.heatMap(ofPrepared: classifier.prepare(bytes)))
        #expect(try ImageDecoder().decode(map).width == 8)
        let small = try ImageDecoder().decode(ImageThumbnail.jpeg(of: bytes, side: 20))
        #expect(small.width == 20 && small.height == 20)
        #expect(throws: GraftError.self) { try ImageThumbnail.jpeg(of: bytes, side: 0) }
    }
}
