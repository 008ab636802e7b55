import Foundation
import GraftGraph
import GraftTestSupport
import Testing

@testable import GraftImages

@Suite struct ViewRendererTests {
    /// An image of noise, in which each pixel that is misplaced shows.
    private static func noise(_ height: Int, _ width: Int, channels: Int = 3, seed: UInt64 = 1) -> DecodedImage {
        let stream = RandomStream(key: seed, stream: 5)
        return DecodedImage(
            height: height, width: width, channels: channels,
            pixels: (0..<(height * width * channels)).map { UInt8(stream.uniform(at: $0) * 256) })
    }

    private static func render(
        _ image: DecodedImage, _ view: ViewParameters, _ size: Size2D, fill: FillMode = .nearest, fillValue: Double = 0
    ) -> [Float] {
        var recipe = Augmentation()
        (recipe.fill, recipe.fillValue) = (fill, fillValue)
        let renderer = ViewRenderer(recipe)
        let count = size.height * size.width * image.channels
        return [Float](unsafeUninitializedCapacity: count) { buffer, written in
            buffer.initialize(repeating: .nan)
            renderer.render(
                image, view, sizes: [size], into: [UnsafeMutableBufferPointer(rebasing: buffer[..<count])])
            written = count
        }
    }

    private static func view(_ map: AffineMap) -> ViewParameters {
        var view = ViewParameters.identity
        view.map = map
        return view
    }

    // MARK: Geometry

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let map: AffineMap
        var testDescription: String { name }
    }

    private static let transforms: [Case] = [
        Case(name: "identity", map: .identity),
        Case(name: "rotation", map: ViewParameters.Transform(rotation: 37).map(aspect: 1.3)),
        Case(name: "rotation by 90", map: ViewParameters.Transform(rotation: 90).map(aspect: 1)),
        Case(name: "shift", map: ViewParameters.Transform(shift: (0.3, -0.21)).map(aspect: 1.3)),
        Case(name: "shift out of sight", map: ViewParameters.Transform(shift: (1.7, -2.4)).map(aspect: 1.3)),
        Case(name: "shear", map: ViewParameters.Transform(shear: -25).map(aspect: 1.3)),
        Case(name: "zoom in", map: ViewParameters.Transform(zoom: (0.4, 0.7)).map(aspect: 1.3)),
        Case(name: "zoom out", map: ViewParameters.Transform(zoom: (1.6, 1.2)).map(aspect: 1.3)),
        Case(name: "flip", map: .scaling(-1, 1, movingBy: 1, 0)),
        Case(name: "crop", map: .scaling(0.4, 0.6, movingBy: 0.55, 0.1)),
        Case(
            name: "all",
            map: AffineMap.scaling(-0.5, 0.7, movingBy: 0.9, 0.2).then(
                ViewParameters.Transform(rotation: -140, shift: (0.1, 0.3), shear: 12, zoom: (1.1, 0.8))
                    .map(aspect: 0.8))),
    ]

    /// Where a pixel's neighbour lies outside is looked up in a drawing of the axis, ten images wide.
    private static func reference(
        _ image: DecodedImage, _ map: AffineMap, _ size: Size2D, _ fill: FillMode, _ fillValue: Float
    ) -> [Float] {
        func axis(_ count: Int) -> [Int?] {
            let once = Array(0..<count)
            return (-10...10).flatMap { turn -> [Int?] in
                switch fill {
                case .nearest: once.map { turn < 0 ? 0 : turn > 0 ? count - 1 : $0 }
                case .constant: turn == 0 ? once : once.map { _ in nil }
                case .wrap: once
                case .reflect: turn % 2 == 0 ? once : once.reversed()
                }
            }
        }
        let (rows, columns) = (axis(image.height), axis(image.width))
        func pixel(_ y: Int, _ x: Int, _ channel: Int) -> Double {
            guard let row = rows[y + 10 * image.height], let column = columns[x + 10 * image.width] else {
                return Double(fillValue)
            }
            return Double(image.pixels[(row * image.width + column) * image.channels + channel])
        }
        var result: [Float] = []
        for y in 0..<size.height {
            for x in 0..<size.width {
                let place = map((Double(x) + 0.5) / Double(size.width), (Double(y) + 0.5) / Double(size.height))
                let (sx, sy) = (place.x * Double(image.width) - 0.5, place.y * Double(image.height) - 0.5)
                let (left, top) = (Int(sx.rounded(.down)), Int(sy.rounded(.down)))
                let (right, down) = (sx - sx.rounded(.down), sy - sy.rounded(.down))
                for channel in 0..<image.channels {
                    let upper = pixel(top, left, channel) * (1 - right) + pixel(top, left + 1, channel) * right
                    let lower = pixel(top + 1, left, channel) * (1 - right) + pixel(top + 1, left + 1, channel) * right
                    result.append(Float(upper * (1 - down) + lower * down))
                }
            }
        }
        return result
    }

    /// Pixels one apart or less, so that nothing is averaged before.
    @Test(arguments: transforms, FillMode.allCases)
    func equalsInterpolationAtThePlacesOfTheMap(_ transform: Case, _ fill: FillMode) {
        for (height, width, channels) in [(13, 17, 3), (17, 13, 1), (2, 2, 3), (1, 1, 3), (1, 9, 1), (3, 40, 3)] {
            let image = Self.noise(height, width, channels: channels)
            let size = Size2D(2 * max(height, width) + 1, 2 * max(height, width) + 3)
            let values = Self.render(image, Self.view(transform.map), size, fill: fill, fillValue: 77)
            let wanted = Self.reference(image, transform.map, size, fill, 77)
            // Two fractions and three blends, each with a few roundings to 24 bits: some 2⁻²⁴ · 16 of the largest value.
            expectClose(
                Tensor(values, shape: [values.count]), Tensor(wanted, shape: [wanted.count]), tolerance: 1e-6,
                "\(transform.name) \(fill) \(height) × \(width)")
        }
    }

    @Test func flipsAreExact() {
        let image = Self.noise(9, 14)
        let size = Size2D(9, 14)
        let plain = image.pixels.map(Float.init)
        #expect(Self.render(image, .identity, size) == plain)
        let row = { (y: Int) in (0..<14).map { Array(plain[((y * 14 + $0) * 3)..<((y * 14 + $0) * 3 + 3)]) } }
        let mirrored = (0..<9).flatMap { row($0).reversed().flatMap { $0 } }
        #expect(Self.render(image, Self.view(.scaling(-1, 1, movingBy: 1, 0)), size) == mirrored)
        let upsideDown = (0..<9).reversed().flatMap { row($0).flatMap { $0 } }
        #expect(Self.render(image, Self.view(.scaling(1, -1, movingBy: 0, 1)), size) == upsideDown)
    }

    /// Pages without permission lie before and behind the image's memory.
    @Test(arguments: transforms, FillMode.allCases)
    func neverReadsOutsideOfTheImage(_ transform: Case, _ fill: FillMode) throws {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let memory = try #require(mmap(nil, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        try #require(memory != MAP_FAILED)
        defer { munmap(memory, 3 * page) }
        try #require(mprotect(memory, page, PROT_NONE) == 0 && mprotect(memory + 2 * page, page, PROT_NONE) == 0)
        for (height, width, channels) in [(13, 17, 3), (17, 13, 1), (2, 2, 3), (1, 1, 3), (3, 40, 3), (2, 3, 3)] {
            let count = height * width * channels
            for start in [page, 2 * page - count] {
                let first = UnsafePointer((memory + start).assumingMemoryBound(to: UInt8.self))
                let source = PixelRows(first: first, height: height, width: width, channels: channels)
                var values = [Float](repeating: 0, count: 20 * 20 * channels)
                let steps = AffineMap.scaling(0.05, 0.05, movingBy: 0.025, 0.025).then(transform.map)
                    .then(.scaling(Double(width), Double(height), movingBy: -0.5, -0.5))
                AffineResample(from: source, height: 20, width: 20, map: steps, fill: fill, fillValue: 0)
                    .write(to: &values)
                BoxReduction.withReduced(source, rows: 2, columns: 4) { _ in }
                #expect(values.allSatisfy { (0...255).contains($0) })
            }
        }
    }

    // MARK: Shrinking

    @Test(arguments: [(2, 2), (1, 4), (8, 2), (16, 1)], [1, 3])
    func blocksBecomeTheirMeans(_ factors: (Int, Int), _ channels: Int) throws {
        let (rowFactor, columnFactor) = factors
        let image = Self.noise(37, 29, channels: channels)
        let means = try image.pixels.withUnsafeBufferPointer { pixels in
            let source = PixelRows(
                first: try #require(pixels.baseAddress), height: 37, width: 29, channels: channels)
            return BoxReduction.withReduced(source, rows: rowFactor, columns: columnFactor) { reduced in
                let values = UnsafeBufferPointer(start: reduced.first, count: reduced.height * reduced.rowCount)
                return (reduced.height, reduced.width, Array(values))
            }
        }
        let rows = stride(from: 0, to: 37, by: rowFactor).map { $0..<min($0 + rowFactor, 37) }
        let columns = stride(from: 0, to: 29, by: columnFactor).map { $0..<min($0 + columnFactor, 29) }
        #expect(means.0 == rows.count && means.1 == columns.count)
        var wanted: [UInt8] = []
        for row in rows {
            for column in columns {
                for channel in 0..<channels {
                    let block = row.flatMap { y in column.map { Int(image.pixels[(y * 29 + $0) * channels + channel]) }
                    }
                    wanted.append(UInt8((2 * block.reduce(0, +) + block.count) / (2 * block.count)))
                }
            }
        }
        #expect(means.2 == wanted)
    }

    @Test func stepsAreBelowTwoMeans() {
        let expected: [(Double, Int)] = [
            (0.1, 1), (1, 1), (1.99, 1), (2, 2), (3.9, 2), (4, 4), (31.3, 16), (1e9, 16_384),
        ]
        for (step, factor) in expected { #expect(BoxReduction.factor(forStep: step) == factor, "\(step)") }
    }

    /// Stripes of one pixel, as fine as twelve megapixels have them: without averaging, a view of 128 × 128 shows wide bands
    /// of black and white, as Keras's resize does.
    @Test func fineStripesBecomeGrey() {
        let (height, width) = (300, 4000)
        let image = DecodedImage(
            height: height, width: width, channels: 1,
            pixels: (0..<height).flatMap { _ in (0..<width).map { $0 % 2 == 0 ? 0 : 255 } })
        for map in transformsThatShrink {
            let values = Self.render(image, Self.view(map), Size2D(100, 128))
            #expect(values.allSatisfy { abs($0 - 127.5) <= 1 })
        }
    }

    private var transformsThatShrink: [AffineMap] {
        [.identity, .scaling(-1, 1, movingBy: 1, 0), .scaling(0.5, 0.5, movingBy: 0.2, 0.3)]
    }

    /// A mean of blocks keeps the mean of the image, wherever it shrinks.
    @Test func shrinkingKeepsTheMean() {
        let image = Self.noise(256, 384)
        let values = Self.render(image, .identity, Size2D(32, 48))
        let mean = Float(image.pixels.reduce(0) { $0 + Int($1) }) / Float(image.pixels.count)
        // Rounding to 8 bits is at most ½ off, and one way or the other by chance.
        #expect(abs(values.reduce(0, +) / Float(values.count) - mean) < 0.05)
    }

    // MARK: Erasing

    @Test func erasesThePixelsWhoseCentresLieInTheRectangle() {
        let image = Self.noise(10, 20, channels: 1)
        var view = ViewParameters.identity
        view.erased = .init(left: 0.5, top: 0.21, width: 0.26, height: 0.3)
        let plain = image.pixels.map(Float.init)
        let values = Self.render(image, view, Size2D(10, 20))
        for y in 0..<10 {
            for x in 0..<20 {
                // Centres at 0.525 … 0.725 and 0.25 … 0.45.
                let isErased = (10..<15).contains(x) && (2..<5).contains(y)
                #expect(values[y * 20 + x] == (isErased ? 127.5 : plain[y * 20 + x]), "\(y) \(x)")
            }
        }
    }
}
