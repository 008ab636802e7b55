import GraftGraph
import GraftTestSupport
import Testing

@testable import GraftImages

/// Each augmentation against Keras's own with the same parameters; `Tests/Keras/augmentation.py` makes the numbers.
@Suite struct KerasAugmentationTests {
    struct Geometry: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let parameters: [Double]
        let fill: FillMode
        let values: [Float]
        var testDescription: String { name }
    }

    struct Colour: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let parameter: Float
        let values: [Float]
        var testDescription: String { "\(name) \(parameter)" }

        var adjustment: ColourAdjustment? {
            switch name {
            case "brightness": ColourAdjustment(brightness: parameter)
            case "contrast": ColourAdjustment(contrast: parameter)
            case "saturation": ColourAdjustment(saturation: parameter)
            case "hue": ColourAdjustment(hue: parameter)
            case "grayscale": ColourAdjustment(isGray: true)
            default: nil
            }
        }
    }

    private struct Fixture: Decodable {
        let geometry: [Geometry]
        let colours: [Colour]
    }

    private static let fixture = Fixtures.decoded(Fixture.self, "augmentation.json")
    private static let size = 12

    private static let image = DecodedImage(
        height: size, width: size, channels: 3,
        pixels: (0..<(size * size * 3)).map { index in
            let (y, x, channel) = (index / (3 * size), index / 3 % size, index % 3)
            return UInt8(truncatingIfNeeded: 37 * y + 101 * x + 59 * channel + x * y)
        })

    private func render(_ view: ViewParameters, fill: FillMode = .nearest) -> Tensor {
        var recipe = Augmentation()
        (recipe.fill, recipe.fillValue) = (fill, 77)
        let size = Size2D(Self.size)
        return Tensor(uninitialized: [Self.size, Self.size, 3]) {
            ViewRenderer(recipe).render(Self.image, view, sizes: [size], into: [$0])
        }
    }

    @Test(arguments: fixture.geometry)
    func geometryEqualsImageDataGenerator(_ expected: Geometry) {
        let numbers = expected.parameters
        let size = Double(Self.size)
        var view = ViewParameters.identity
        view.map = ViewParameters.Transform(
            rotation: numbers[0], shift: (numbers[1] / size, numbers[2] / size), shear: numbers[3],
            zoom: (numbers[4], numbers[5])
        ).map(aspect: 1)
        // TensorFlow computes places of up to some 20 pixels in 32 bits, 4e-6 of a pixel, between pixels up to 255 apart.
        expectClose(
            render(view, fill: expected.fill), Tensor(expected.values, shape: [Self.size, Self.size, 3]),
            tolerance: 2e-5)
    }

    @Test(arguments: fixture.colours)
    func coloursEqualKerasLayers(_ expected: Colour) throws {
        var view = ViewParameters.identity
        view.colour = try #require(expected.adjustment)
        // A few roundings to 24 bits; Keras goes through HSV with values from 0 to 1.
        expectClose(render(view), Tensor(expected.values, shape: [Self.size, Self.size, 3]), tolerance: 2e-6)
    }
}
