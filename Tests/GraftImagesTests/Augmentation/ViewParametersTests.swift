import Foundation
import GraftGraph
import Testing

@testable import GraftImages

@Suite struct ViewParametersTests {
    private static func draws(_ text: String, count: Int = 4000, aspect: Double = 1) throws -> [ViewParameters] {
        let recipe = try Augmentation(text)
        return (0..<count).map {
            ViewParameters(recipe, seed: 7, view: $0 % 10, content: UInt64($0 / 10) &* 977, aspect: aspect)
        }
    }

    /// The steps of Keras's `apply_affine_transform` (keras/src/legacy/preprocessing/image.py) on pixels about the centre, one
    /// after the other.
    private static func steps(
        _ transform: ViewParameters.Transform, height: Double, width: Double, row: Double, column: Double
    ) -> (row: Double, column: Double) {
        let (theta, shear) = (transform.rotation * .pi / 180, transform.shear * .pi / 180)
        var (x, y) = (column - (width / 2 - 0.5), row - (height / 2 - 0.5))
        (x, y) = (transform.zoom.horizontal * x, transform.zoom.vertical * y)
        (x, y) = (x - sin(shear) * y, cos(shear) * y)
        (x, y) = (x + transform.shift.horizontal * width, y + transform.shift.vertical * height)
        (x, y) = (cos(theta) * x - sin(theta) * y, sin(theta) * x + cos(theta) * y)
        return (y + height / 2 - 0.5, x + width / 2 - 0.5)
    }

    @Test func geometryIsOneMatrixForAllSteps() {
        let transforms = [
            ViewParameters.Transform(rotation: 40), .init(shift: (0.2, -0.1)), .init(shear: 20),
            .init(zoom: (0.8, 1.3)),
            .init(rotation: -70, shift: (-0.3, 0.4), shear: -33, zoom: (1.7, 0.6)),
        ]
        for transform in transforms {
            for (height, width) in [(10.0, 10.0), (30.0, 50.0), (64.0, 48.0)] {
                let map = transform.map(aspect: width / height)
                for (row, column) in [(0.0, 0.0), (3, 7), (height - 1, width - 1)] {
                    let wanted = Self.steps(transform, height: height, width: width, row: row, column: column)
                    let place = map((column + 0.5) / width, (row + 0.5) / height)
                    #expect(abs(place.y * height - 0.5 - wanted.row) < 1e-10)
                    #expect(abs(place.x * width - 0.5 - wanted.column) < 1e-10)
                }
            }
        }
    }

    @Test func aRecipeThatChangesNothingGivesTheIdentity() throws {
        for view in try Self.draws("none", count: 50, aspect: 1.4) { #expect(view == .identity) }
    }

    @Test func flipsComeAsOftenAsTheyShould() throws {
        for (text, share) in [("flip", 0.5), ("flip:0.1", 0.1), ("vflip:0.8", 0.8), ("flip:1", 1)] {
            let flipped = try Self.draws(text).count { $0.map.xx < 0 || $0.map.yy < 0 }
            Self.expectShare(flipped, share, "\(text)")
        }
    }

    /// Expects so many of 4,000 draws within four standard deviations.
    private static func expectShare(_ count: Int, _ share: Double, _ comment: Comment? = nil) {
        let deviation: Double = (share * (1 - share) / 4000).squareRoot()
        let difference: Double = abs(Double(count) / 4000 - share)
        #expect(difference <= 4 * deviation, comment)
    }

    @Test func rangesAreKeptAndFilled() throws {
        func expectUniform(_ values: [Double], _ range: ClosedRange<Double>, _ name: String) {
            let (least, most): (Double, Double) = (values.min() ?? .nan, values.max() ?? .nan)
            let (width, slack): (Double, Double) = (range.upperBound - range.lowerBound, 1e-6)
            let wide: ClosedRange<Double> = (range.lowerBound - slack)...(range.upperBound + slack)
            #expect(wide.contains(least) && wide.contains(most), "\(name): \(least) \(most)")
            // The chance that 4,000 draws leave the last hundredth empty is 3e-18; four deviations of the mean.
            let inner: ClosedRange<Double> = (range.lowerBound + width / 100)...(range.upperBound - width / 100)
            #expect(least < inner.lowerBound && most > inner.upperBound, "\(name): \(least) \(most)")
            let mean: Double = values.reduce(0, +) / Double(values.count)
            let middle: Double = range.lowerBound + width / 2
            let deviation: Double = width / 48_000.0.squareRoot()
            #expect(abs(mean - middle) < 4 * deviation, "\(name): \(mean)")
        }
        let rotations = try Self.draws("rotate:40").map { atan2($0.map.yx, $0.map.xx) * 180 / .pi }
        expectUniform(rotations, -40...40, "rotation")
        let shifts = try Self.draws("shift:0.2:0.1").map(\.map)
        expectUniform(shifts.map(\.x0), -0.2...0.2, "horizontal shift")
        expectUniform(shifts.map(\.y0), -0.1...0.1, "vertical shift")
        expectUniform(try Self.draws("shear:30").map { -asin($0.map.xy) * 180 / .pi }, -30...30, "shear")
        let zooms = try Self.draws("zoom:0.7:1.5").map(\.map)
        expectUniform(zooms.map(\.xx), 0.7...1.5, "horizontal zoom")
        expectUniform(zooms.map(\.yy), 0.7...1.5, "vertical zoom")
        let colours = try Self.draws("brightness:0.2,contrast:0.3,saturation:0.4,hue:0.1").map(\.colour)
        expectUniform(colours.map { Double($0.brightness) }, -51...51, "brightness")
        expectUniform(colours.map { Double($0.contrast) }, 0.7...1.3, "contrast")
        expectUniform(colours.map { Double($0.saturation) }, 0.6...1.4, "saturation")
        expectUniform(colours.map { Double($0.hue) }, -0.1...0.1, "hue")
    }

    @Test func cropsLieInsideAndHaveTheirAreaAndAspect() throws {
        let maps = try Self.draws("crop:0.1:0.6:0.5:2").map(\.map)
        let areas = maps.map { $0.xx * $0.yy }
        #expect(areas.allSatisfy { $0 > 0.1 - 1e-9 && $0 < 0.6 + 1e-9 })
        let mean: Double = areas.reduce(0, +) / 4000
        // Four deviations of the mean of numbers uniform over a width of 0.5.
        #expect(abs(mean - 0.35) < 0.0092)
        let aspects: [Double] = maps.map { $0.xx / $0.yy }
        let (least, most): (Double, Double) = (aspects.min() ?? .nan, aspects.max() ?? .nan)
        #expect(least >= 0.5 - 1e-9 && least < 0.55)
        #expect(most > 1.9 && most <= 2 + 1e-9)
        for map in maps {
            let (right, bottom): (Double, Double) = (map.x0 + map.xx, map.y0 + map.yy)
            #expect(map.x0 >= 0 && map.y0 >= 0)
            #expect(right < 1.0000001 && bottom < 1.0000001)
        }
        // The whole image has but one crop.
        for view in try Self.draws("crop:1", count: 20) {
            #expect(abs(view.map.xx - 1) < 1e-9 && abs(view.map.yy - 1) < 1e-9)
        }
    }

    @Test func erasedRectanglesLieInside() throws {
        let views = try Self.draws("erase:0.25")
        let rectangles = views.compactMap(\.erased)
        Self.expectShare(rectangles.count, 0.25)
        for rectangle in rectangles {
            let area: Double = rectangle.width * rectangle.height
            #expect(area > 0.0199999 && area < 0.3300001)
            let right: Double = rectangle.left + rectangle.width
            let bottom: Double = rectangle.top + rectangle.height
            #expect(rectangle.left >= 0 && rectangle.top >= 0)
            #expect(right < 1.0000001 && bottom < 1.0000001)
        }
    }

    /// One more part changes none of the others.
    @Test func eachParameterHasNumbersOfItsOwn() throws {
        let few = try Self.draws("rotate:40", count: 200)
        let more = try Self.draws("rotate:40,hue:0.2,erase:1,grayscale:0.5", count: 200)
        #expect(few.map(\.map) == more.map(\.map))
    }

    @Test func contentHashesDifferAndStay() {
        let texts = ["", "a", "b", "ab", "abcdefgh", "abcdefgi", "abcdefgha", "abcdefghijklmnop", "\0", "\0\0"]
        let hashes = texts.map { ContentHash.value(of: Array($0.utf8)) }
        #expect(Set(hashes).count == texts.count)
        // A stored view must mean the same in another process.
        #expect(ContentHash.mix(0) == 0xE220_A839_7B1D_CDAF, "SplitMix64's first number from 0, as published")
    }
}
