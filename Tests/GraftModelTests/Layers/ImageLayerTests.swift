import Foundation
import GraftGraph
import GraftTestSupport
import Testing

@testable import GraftModel

/// Keras's affine resampling, and its augmentation layers with given draws; written by `Tests/Keras/image_layers.py`.
struct ImageLayerFixture: Decodable {
    struct Affine: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let transform: [Float]
        let interpolation: String
        let fillMode: String
        let shape: [Int]
        let input: [Float]
        let output: [Float]
        var testDescription: String { name }
    }

    struct LayerCase: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let layer: Configuration
        let shape: [Int]
        let input: [Float]
        let draws: [Float]
        let outputShape: [Int]
        let output: [Float]
        var testDescription: String { name }
    }

    let affine: [Affine]
    let layers: [LayerCase]

    static let shared: ImageLayerFixture = {
        do {
            let file = try #require(
                Bundle.module.url(
                    forResource: "keras-image-layers", withExtension: "json", subdirectory: "Fixtures"))
            return try JSONDecoder().decode(Self.self, from: Data(contentsOf: file))
        } catch {
            Issue.record("the fixture cannot be read: \(error)")
            return Self(affine: [], layers: [])
        }
    }()
}

@Suite struct ImageLayerTests {
    /// Keras computes places in 32 bits, the interpreter in 64: 1e-6 of a pixel apart at most, in images whose pixels are up
    /// to 255 and differ by as much from one to the next.
    static let tolerance = 1e-5

    @Test(arguments: ImageLayerFixture.shared.affine)
    func resamplingIsKeras(_ test: ImageLayerFixture.Affine) throws {
        var graph = Graph()
        let images = try graph.constant(Tensor(test.input, shape: Shape(test.shape)))
        let transform = try graph.constant(Tensor(test.transform, shape: [1, 6]))
        graph.outputs = [
            try graph.affineResample(
                images, transform, to: Size2D(test.shape[1], test.shape[2]),
                isBilinear: test.interpolation == "bilinear",
                fill: #require(FillMode(rawValue: test.fillMode)), fillValue: 17.5)
        ]
        let output = try Interpreter.run(graph, inputs: [:], variables: [:]).outputs[0]
        let expected = ReferenceArray(Tensor(test.output, shape: Shape(test.shape)))
        expectClose(output, expected, tolerance: Self.tolerance)
    }

    @Test(arguments: ImageLayerFixture.shared.layers)
    func layerMakesOfADrawWhatKerasDoes(_ test: ImageLayerFixture.LayerCase) throws {
        let layer = try #require(LayerRegistry.standard.layer(test.layer) as? RandomImageLayer)
        var context = LoweringContext(training: true)
        let images = try context.graph.constant(Tensor(test.input, shape: Shape(test.shape)))
        if test.shape[1] > test.outputShape[1] || test.shape[1...] == test.outputShape[1...] {
            var draws: [ValueID] = []
            for column in 0..<type(of: layer).drawCount {
                let numbers = (0..<test.shape[0]).map { test.draws[2 * $0 + column] }
                try draws.append(context.graph.constant(Tensor(numbers, shape: [test.shape[0], 1])))
            }
            context.graph.outputs = [try layer.change(images, draws, in: &context.graph)]
        } else {
            context.graph.outputs = [try layer.lower([images], in: &context)]
        }
        let output = try Interpreter.run(context.graph, inputs: [:], variables: [:]).outputs[0]
        let expected = ReferenceArray(Tensor(test.output, shape: Shape(test.outputShape)))
        expectClose(output, expected, tolerance: Self.tolerance)
    }

    /// One pixel of each image, so that all of an image's change is in one number.
    private func run(_ layer: Layer, _ pixel: Float, training: Bool = true, key: UInt64 = 1) throws -> [Double] {
        let x = Input(shape: [1, 1, 1])
        let model = try Model(inputs: x, outputs: layer(x))
        let input = Tensor(repeating: pixel, shape: [2000, 1, 1, 1])
        return try interpret(model, [input], training: training, randomKey: key).outputs[0].values
    }

    /// 2,000 uniform numbers: their ends within a hundredth of the range, their mean within five deviations of 1 / √12n.
    @Test func imagesOfABatchAreDrawnApartUniformly() throws {
        let added = try run(RandomBrightness(ImageFactor(-0.5, 0.25), valueRange: ImageFactor(0, 200)), 100)
        let shares = added.map { ($0 - 100) / 200 }
        #expect(Set(shares).count > 1900)
        #expect(try #require(shares.min()) >= -0.5 && #require(shares.min()) < -0.49)
        #expect(try #require(shares.max()) <= 0.25 && #require(shares.max()) > 0.24)
        let mean = shares.reduce(0, +) / 2000
        #expect(abs(mean + 0.125) < 5 * 0.75 / (12.0 * 2000).squareRoot())
    }

    @Test func drawsFollowTheRunsKeyAndTheSeed() throws {
        let layer = RandomBrightness(0.2, seed: 3)
        #expect(try run(layer, 100, key: 1) == run(layer, 100, key: 1))
        #expect(try run(layer, 100, key: 1) != run(layer, 100, key: 2))
        #expect(try run(layer, 100) != run(RandomBrightness(0.2, seed: 4), 100))
        #expect(try Set(run(layer, 100, training: false)) == [100])
    }

    @Test func aboutHalfOfTheImagesAreMirrored() throws {
        let x = Input(shape: [1, 2, 1])
        let model = try Model(inputs: x, outputs: RandomFlip(.horizontal)(x))
        let input = Tensor((0..<2000).map { Float($0 % 2) }, shape: [1000, 1, 2, 1])
        let output = try interpret(model, [input], training: true, randomKey: 1).outputs[0].values
        let mirrored = (0..<1000).filter { output[2 * $0] == 1 }
        #expect(mirrored.allSatisfy { output[2 * $0 + 1] == 0 })
        // 1,000 draws of ½ have a deviation of 16; five of them.
        #expect(abs(mirrored.count - 500) < 80)
    }

    @Test func cropsBeginAtEveryPlaceAndCopyPixels() throws {
        let x = Input(shape: [4, 5, 1])
        let model = try Model(inputs: x, outputs: RandomCrop(height: 2, width: 3)(x))
        let image = (0..<20).map(Float.init)
        let input = Tensor((0..<300).flatMap { _ in image }, shape: [300, 4, 5, 1])
        let output = try interpret(model, [input], training: true, randomKey: 1).outputs[0].values
        var starts: Set<Double> = []
        for crop in 0..<300 {
            let pixels = output[crop * 6..<crop * 6 + 6].map { $0 - output[crop * 6] }
            #expect(pixels == [0, 1, 2, 5, 6, 7])
            starts.insert(output[crop * 6])
        }
        #expect(starts == [0, 1, 2, 5, 6, 7, 10, 11, 12])
        // The middle of the form 2 to 3 is 3 rows of 5 columns (3.33), resized.
        let middle = try interpret(model, [input], training: false).outputs[0].shape
        #expect(middle == [300, 2, 3, 1])
    }

    @Test func gradientOfWhereImagesAreReadIsRefused() throws {
        var graph = Graph()
        let images = try graph.input("images", [1, 2, 2, 1])
        let transforms = try graph.input("transforms", [1, 6])
        let read = try graph.affineResample(images, transforms, to: Size2D(2), isBilinear: true, fill: .nearest)
        let loss = try graph.reduce(.sum, read)
        #expect {
            _ = try graph.gradients(of: loss, withRespectTo: [transforms])
        } throws: {
            ($0 as? GraftError)?.message.contains("has a gradient for its images alone") == true
        }
    }

    static let refused: [(String, Configuration, String)] = [
        ("RandomRotation", ["factor": 1.5], "factor must be from -1.0 to 1.0, is -1.5 to 1.5"),
        ("RandomZoom", ["height_factor": [-1, 0]], "height_factor must be above -1 and at most 1, is -1.0 to 0.0"),
        ("RandomFlip", ["mode": "diagonal"], "mode must be horizontal, vertical or horizontal_and_vertical"),
        ("RandomTranslation", ["height_factor": 0.1], "width_factor is missing"),
        (
            "RandomRotation", ["factor": 0.1, "fill_mode": "mirror"],
            "fill_mode must be constant, nearest, reflect or wrap"
        ),
        (
            "Resizing", ["height": 2, "width": 2, "interpolation": "bicubic"],
            "interpolation must be nearest or bilinear"
        ),
        (
            "Resizing", ["height": 2, "width": 2, "crop_to_aspect_ratio": true, "pad_to_aspect_ratio": true],
            "are both true; one must be false"
        ),
        ("CenterCrop", ["height": 0, "width": 2], "height must be from 1"),
    ]

    @Test(arguments: refused) func argumentsOutOfRangeAreRefused(
        _ name: String, _ arguments: Configuration, _ message: String
    ) throws {
        let error = try #require(throws: GraftError.self) { try LayerRegistry.standard.layer(name, arguments) }
        #expect(error.message.contains(message), "\(error.message)")
    }
}
