import GraftData
import GraftGraph
import Testing

@testable import GraftImages

@Suite("ImageResizer")
struct ImageResizerTests {
    /// What TensorFlow and Pillow make of a picture; `Tests/Keras/resize.py` writes them.
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let input: [Int]
        let output: [Int]
        let keras: [Float]
        let antialias: [Float]
        let nearest: [Float]
        let crop: [Float]
        let pad: [Float]

        var testDescription: String { "\(input) to \(output)" }

        var image: DecodedImage {
            var pixels: [UInt8] = []
            for y in 0..<input[0] {
                for x in 0..<input[1] {
                    for c in 0..<input[2] {
                        pixels.append(UInt8(truncatingIfNeeded: 37 * y + 101 * x + 59 * c + x * y))
                    }
                }
            }
            return DecodedImage(height: input[0], width: input[1], channels: input[2], pixels: pixels)
        }

        func resized(_ method: ResizeMethod) throws -> [Float] {
            let rule = ImageRule(height: output[0], width: output[1], channels: input[2], resize: method)
            let tensor = try ImageResizer(rule: rule).resized(image)
            #expect(tensor.shape == [output[0], output[1], input[2]])
            return tensor.scalars
        }
    }

    private struct Collection: Decodable { let cases: [Case] }
    static let cases = Fixtures.decoded(Collection.self, "resize.json").cases

    @Test("keras equals TensorFlow's bilinear resize bit for bit", arguments: cases)
    func bilinearEqualsTensorFlow(_ example: Case) throws {
        #expect(try example.resized(.keras) == example.keras)
    }

    /// 1e-4 of 255 is some ten units in the last place of a value; TensorFlow sums in vectors of several widths.
    @Test("antialias equals TensorFlow's antialiased resize to 1e-4", arguments: cases)
    func triangleEqualsTensorFlow(_ example: Case) throws {
        let values = try example.resized(.antialias)
        try #require(values.count == example.antialias.count)
        let differences = zip(values, example.antialias).map { abs($0 - $1) }
        let worst = differences.max() ?? 0
        #expect(worst <= 1e-4, "value \(differences.firstIndex(of: worst) ?? 0) differs by \(worst)")
    }

    @Test("nearest equals Pillow's", arguments: cases)
    func nearestEqualsPillow(_ example: Case) throws {
        #expect(try example.resized(.nearest) == example.nearest)
    }

    @Test("crop and pad equal Keras's crop_to_aspect_ratio and pad_to_aspect_ratio", arguments: cases)
    func fitsEqualKeras(_ example: Case) throws {
        let rule = ImageRule(height: example.output[0], width: example.output[1], channels: example.input[2])
        for (fit, expected) in [(ImageFit.crop, example.crop), (.pad, example.pad), (.stretch, example.keras)] {
            let image = fit.applied(to: example.image, height: rule.height, width: rule.width)
            #expect(try ImageResizer(rule: rule).resized(image).scalars == expected, "\(fit)")
        }
    }

    @Test("the same size keeps every pixel", arguments: ResizeMethod.allCases)
    func sameSizeIsIdentity(_ method: ResizeMethod) throws {
        let image = DecodedImage(height: 3, width: 4, channels: 3, pixels: (0..<36).map { UInt8($0 * 7) })
        let resizer = try ImageResizer(rule: ImageRule(height: 3, width: 4, resize: method))
        #expect(resizer.resized(image).scalars == image.pixels.map(Float.init))
    }

    @Test("one colour stays that colour", arguments: ResizeMethod.allCases)
    func constantStaysConstant(_ method: ResizeMethod) throws {
        let image = DecodedImage(
            height: 37, width: 23, channels: 3, pixels: [UInt8](repeating: 200, count: 37 * 23 * 3))
        for (height, width) in [(5, 60), (60, 5), (1, 1), (37, 24)] {
            let resizer = try ImageResizer(rule: ImageRule(height: height, width: width, resize: method))
            #expect(resizer.resized(image).scalars.allSatisfy { abs($0 - 200) < 1e-4 })
        }
    }

    @Test(
        "sizes and channels that make no picture are refused",
        arguments: [(0, 5, 3), (5, -1, 3), (20000, 5, 3), (5, 5, 2)])
    func refusesImpossibleRules(_ height: Int, _ width: Int, _ channels: Int) {
        let error = #expect(throws: GraftError.self) {
            try ImageResizer(rule: ImageRule(height: height, width: width, channels: channels))
        }
        #expect(error?.code == .argument)
    }
}
