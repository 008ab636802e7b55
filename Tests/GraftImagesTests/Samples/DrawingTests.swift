import Foundation
import GraftGraph
import Testing

@testable import GraftImages

@Suite("What images are drawn with")
struct DrawingTests {
    @Test("sines are within 1e-5 of the system's, which is more than 8 bits show")
    func computesSines() {
        for step in -400...400 {
            let turns = Float(step) / 128
            let angle = Double(turns) * 2 * .pi
            #expect(abs(Double(Arithmetic.sine(turns: turns)) - sin(angle)) < 1e-5, "\(turns)")
            #expect(abs(Double(Arithmetic.cosine(turns: turns)) - cos(angle)) < 1e-5, "\(turns)")
        }
    }

    @Test("the fifth root is one, and each byte of sRGB comes back from its light")
    func convertsLight() {
        for x in [0, 1e-9, 0.02, 0.5, 1] { #expect(abs(pow(Arithmetic.fifthRoot(x), 5) - x) < 1e-12) }
        for byte in 0...255 { #expect(TransferFunction.byte(TransferFunction.linear[byte]) == UInt8(byte)) }
        // IEC 61966-2-1: ((128/255 + 0.055) / 1.055)^2.4.
        #expect(abs(TransferFunction.linear[128] - 0.215861) < 1e-6)
        #expect(TransferFunction.byte(-1) == 0)
        #expect(TransferFunction.byte(7) == 255)
    }

    @Test("a rectangle covers its pixels by area, in either direction", arguments: [false, true])
    func coversByArea(isReversed: Bool) {
        let corners = [Point(1.25, 1.5), Point(3.5, 1.5), Point(3.5, 4), Point(1.25, 4)]
        let mask = Mask(Outline(isReversed ? corners.reversed() : corners), side: 8)
        #expect((mask.x, mask.y, mask.width, mask.height) == (1, 1, 3, 3))
        let row: [Float] = [0.75, 1, 0.5]
        let expected = row.map { $0 / 2 } + row + row
        // Sums of a few numbers of 24 bits.
        for (value, wanted) in zip(mask.values, expected) { #expect(abs(value - wanted) < 1e-6) }
    }

    @Test("slanted edges cover what the shoelace formula says")
    func coversSlantedEdges() {
        var numbers = RandomNumbers(RandomStream(key: 3, stream: 1))
        for _ in 0..<200 {
            let triangle = Outline([Point(4, 4), Point(4, 4), Point(4, 4)].map { $0 + numbers.offset(4) })
            let sum = Mask(triangle, side: 8).values.reduce(0, +)
            // Rounding of up to 64 sums.
            #expect(abs(sum - abs(triangle.signedArea)) < 1e-4, "\(triangle.points)")
        }
    }

    @Test("what lies outside the image is cut off")
    func clips() {
        func square(at corner: Point) -> Outline {
            Outline([Point(0, 0), Point(4, 0), Point(4, 4), Point(0, 4)].map { $0 + corner })
        }
        #expect(abs(Mask(square(at: Point(-2, -1)), side: 8).values.reduce(0, +) - 6) < 1e-5)
        #expect(abs(Mask(square(at: Point(6, 7)), side: 8).values.reduce(0, +) - 2) < 1e-5)
        #expect(Mask(square(at: Point(-9, 2)), side: 8).values.isEmpty)
        #expect(Mask(square(at: Point(2, 20)), side: 8).values.isEmpty)
        #expect(Mask([], side: 8).values.isEmpty)
    }

    @Test("figures that overlap cover no pixel twice, and holes are holes")
    func joins() {
        let square = Outline([Point(1, 1), Point(5, 1), Point(5, 5), Point(1, 5)])
        var mask = Mask([square, Outline(square.points.reversed())], side: 8)
        #expect(mask.values.allSatisfy { abs($0 - 1) < 1e-6 })
        mask.subtract(Mask(Outline([Point(4, 4), Point(7, 4), Point(7, 7), Point(4, 7)]), side: 8))
        #expect(abs(mask.values.reduce(0, +) - 15) < 1e-5)
    }

    @Test("a Gaussian filter keeps the light and spreads it as far as asked")
    func blurs() {
        var plane = Plane(side: 31)
        plane.values[15 * 31 + 15] = 1
        let blurred = plane.blurred(2)
        #expect(abs(blurred.values.reduce(0, +) - 1) < 1e-4)
        var variance: Float = 0
        for y in 0..<31 {
            for x in 0..<31 { variance += blurred[x, y] * Float((x - 15) * (x - 15)) }
        }
        // Cut off at 2.6 deviations and with a decay that is a little wider than e^(−x).
        #expect(abs(variance - 4) < 0.6, "\(variance)")
        #expect(Plane(side: 9, value: 0.5).blurred(3).values.allSatisfy { abs($0 - 0.5) < 1e-5 })
    }

    @Test("random numbers keep to their ranges and are spread over them")
    func drawsNumbers() {
        var numbers = SceneSeed(seed: 1, classNumber: 2, isValidation: true, index: 3).numbers(for: .shape)
        var counts = [0, 0, 0]
        var sum: Float = 0
        for _ in 0..<3000 {
            counts[numbers.whole(0, 2)] += 1
            let value = numbers.between(-2, 4)
            #expect((-2..<4).contains(value))
            #expect((-1...1).contains(numbers.bell()))
            sum += value
        }
        // Six standard deviations: √(3000 · 1/3 · 2/3) = 26 and √3000 · 6/√12 = 95.
        for count in counts { #expect(abs(count - 1000) < 156) }
        #expect(abs(sum - 3000) < 570)
    }

    @Test(
        "letters put in, left out and changed are counted",
        arguments: [("leaves", "leaves", 0), ("leafs", "leaves", 2), ("", "cells", 5), ("cell", "cells", 1)])
    func countsEdits(_ first: String, _ second: String, distance: Int) {
        #expect(EditDistance.between(first, second) == distance)
        #expect(EditDistance.between(second, first) == distance)
    }

    @Test("outlines of a kind close around one area, and willow is the slender one")
    func outlinesHaveTheirForm() {
        for kind in LeafKind.allCases {
            for index in 1...10 {
                var numbers = SceneSeed(seed: 0, classNumber: kind.rawValue, isValidation: false, index: index)
                    .numbers(for: .shape)
                let leaf = kind.leaf(&numbers)
                var (low, high) = (leaf.outline.points[0], leaf.outline.points[0])
                for point in leaf.outline.points { (low, high) = (pointwiseMin(low, point), pointwiseMax(high, point)) }
                let slenderness = (high.y - low.y) / (high.x - low.x)
                #expect(abs(leaf.outline.signedArea) > 0.08)
                #expect((slenderness > 2.5) == (kind == .willow), "\(kind.name) \(slenderness)")
            }
        }
    }
}
