import GraftGraph
import GraftTestSupport
import Testing

@testable import GraftImages

/// Each operation of a policy against torchvision's with the same magnitude; `Tests/Torchvision/automatic_augmentation.py` makes the
/// numbers.
@Suite struct AugmentationPolicyTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let magnitude: Double
        let values: [UInt8]
        var testDescription: String { "\(name) \(magnitude)" }
    }

    private struct Fixture: Decodable {
        let image: [UInt8]
        let geometry: [Case]
        let colours: [Case]
        let tables: [String: [String: [Double]]]
    }

    private static let fixture = Fixtures.decoded(Fixture.self, "automatic-augmentation.json")
    private static let (height, width) = (20, 24)

    private static var image: DecodedImage {
        DecodedImage(height: height, width: width, channels: 3, pixels: fixture.image)
    }

    private func render(_ view: ViewParameters, sizes: [Size2D] = [Size2D(height, width)]) -> [Tensor] {
        var recipe = Augmentation()
        recipe.fill = .constant
        func draw(_ number: Int, _ targets: [UnsafeMutableBufferPointer<Float>]) -> [Tensor] {
            guard number < sizes.count else {
                ViewRenderer(recipe).render(Self.image, view, sizes: sizes, into: targets)
                return []
            }
            var others: [Tensor] = []
            let own = Tensor(uninitialized: [sizes[number].height, sizes[number].width, 3]) {
                others = draw(number + 1, targets + [$0])
            }
            return [own] + others
        }
        return draw(0, [])
    }

    /// All values are whole numbers, computed as Pillow does: no tolerance.
    @Test(arguments: fixture.colours)
    func coloursAreThoseOfPillow(_ expected: Case) throws {
        var view = ViewParameters.identity
        let kind = try #require(PolicyOperation.Kind(rawValue: expected.name))
        view.operations = [PolicyOperation(kind: kind, magnitude: expected.magnitude)]
        let values = render(view)[0].scalars
        let different = values.indices.filter { values[$0] != Float(expected.values[$0]) }
        #expect(different.isEmpty, "\(different.count) values, first at \(different.first ?? -1)")
    }

    /// Where all four neighbours of a place lie in the image: what is outside is filled otherwise. Pillow's bilinear
    /// interpolation of whole numbers rounds or cuts off once an axis: within 1 of the unrounded value.
    @Test(arguments: fixture.geometry)
    func geometryIsThatOfTorchvision(_ expected: Case) throws {
        let kind = try #require(PolicyOperation.Kind(rawValue: expected.name))
        var magnitude = expected.magnitude
        if kind == .translateX { magnitude /= Double(Self.width) }
        if kind == .translateY { magnitude /= Double(Self.height) }
        let operation = PolicyOperation(kind: kind, magnitude: magnitude)
        var view = ViewParameters.identity
        view.map = try #require(operation.map(aspect: Double(Self.width) / Double(Self.height)))
        let values = render(view)[0].scalars
        var inside = 0
        for y in 0..<Self.height {
            for x in 0..<Self.width {
                let place = view.map(
                    (Double(x) + 0.5) / Double(Self.width), (Double(y) + 0.5) / Double(Self.height))
                let (column, row) = (place.x * Double(Self.width) - 0.5, place.y * Double(Self.height) - 0.5)
                guard (0.01...Double(Self.width) - 1.01).contains(column),
                    (0.01...Double(Self.height) - 1.01).contains(row)
                else { continue }
                inside += 1
                for channel in 0..<3 {
                    let index = 3 * (y * Self.width + x) + channel
                    #expect(abs(values[index] - Float(expected.values[index])) <= 1, "\(y), \(x), \(channel)")
                }
            }
        }
        #expect(inside > Self.height * Self.width / 4)
    }

    @Test(arguments: ["randaugment", "trivialaugment"])
    func magnitudesAreThoseOfTorchvision(name: String) throws {
        func policy(_ bin: Int) -> AugmentationPolicy {
            name == "randaugment" ? .randAugment(operations: 2, magnitude: bin) : .trivialAugment
        }
        let table = try #require(Self.fixture.tables[name])
        #expect(Set(table.keys) == Set(PolicyOperation.Kind.allCases.map(\.rawValue)))
        for kind in PolicyOperation.Kind.allCases {
            let numbers = try #require(table[kind.rawValue])
            #expect(kind.isSigned == (numbers.last == 1))
            for bin in 0...30 {
                let wanted = numbers.count > 2 ? numbers[bin] : numbers[0]
                let isWideShift = name == "trivialaugment" && [.translateX, .translateY].contains(kind)
                let scale = isWideShift ? 224.0 : 1
                // Its table is in 32-bit numbers.
                let magnitude = policy(bin).magnitude(of: kind, bin: bin)
                #expect(abs(magnitude * scale - wanted) <= 1e-5 * max(1, abs(wanted)), "\(kind) \(bin)")
            }
        }
    }

    @Test func operationsAreDrawnEvenlyAndFollowFromTheView() throws {
        let recipe = try Augmentation("randaugment:3:9")
        var (kinds, moved) = ([PolicyOperation.Kind: Int](), 0)
        for view in 0..<2000 {
            let drawn = ViewParameters(recipe, seed: 1, view: view, content: 5, aspect: 1)
            #expect(drawn == ViewParameters(recipe, seed: 1, view: view, content: 5, aspect: 1))
            for operation in drawn.operations { kinds[operation.kind, default: 0] += 1 }
            if drawn.map != .identity { moved += 1 }
        }
        // 6,000 draws of 14 kinds: 429 of each, within five standard deviations of 20.
        #expect(kinds.count == 8 && kinds.values.allSatisfy { abs($0 - 429) < 100 }, "\(kinds)")
        // 5 of 14 move the image: 1 − (9/14)³ of the views are moved, 1,469, with a deviation of 20.
        #expect(abs(moved - 1469) < 100, "\(moved)")
    }

    @Test func aPolicyLeavesTheOtherDrawsAsTheyWere() throws {
        let plain = ViewParameters(try Augmentation("flip,brightness:0.2"), seed: 3, view: 2, content: 9, aspect: 1)
        let more = ViewParameters(
            try Augmentation("flip,brightness:0.2,trivialaugment"), seed: 3, view: 2, content: 9, aspect: 1)
        #expect(plain.colour == more.colour)
    }

    @Test func whatLooksAtAWholeImageLooksAtTheFirstSize() {
        var view = ViewParameters.identity
        view.operations = [PolicyOperation(kind: .autoContrast, magnitude: 0)]
        let both = render(view, sizes: [Size2D(Self.height, Self.width), Size2D(10, 12)])
        let alone = render(view, sizes: [Size2D(10, 12)])
        // The large one has darker and lighter pixels, so that the small one alone is stretched further.
        #expect(both[1] != alone[0])
        #expect(both[0] == render(view)[0])
    }

    @Test func greyImagesTakeEveryOperation() throws {
        let pixels = (0..<1024).map { UInt8($0 * $0 / 5 % 200) }
        let gray = DecodedImage(height: 32, width: 32, channels: 1, pixels: pixels)
        for kind in PolicyOperation.Kind.allCases where kind != .identity {
            var view = ViewParameters.identity
            let operation = PolicyOperation(kind: kind, magnitude: kind == .posterize ? 4 : 0.3)
            view.map = operation.map(aspect: 1) ?? .identity
            if operation.map(aspect: 1) == nil { view.operations = [operation] }
            let drawn = Tensor(uninitialized: [32, 32, 1]) {
                ViewRenderer(Augmentation()).render(gray, view, sizes: [Size2D(32)], into: [$0])
            }
            #expect(drawn.scalars.allSatisfy { (0...255).contains($0) }, "\(kind)")
            // Without colours there is no saturation.
            #expect((drawn.scalars == pixels.map(Float.init)) == (kind == .color), "\(kind)")
        }
    }

    @Test(arguments: [
        ("randaugment", "randaugment:2:9"), ("randaugment:1", "randaugment:1:9"),
        ("randaugment:3:15", "randaugment:3:15"),
        ("flip,trivialaugment", "flip:0.5,trivialaugment"),
    ])
    func policiesAreWritten(text: String, again: String) throws {
        let recipe = try Augmentation(text)
        #expect(recipe.description == again)
        #expect(try Augmentation(again) == recipe && !recipe.isIdentity)
    }

    @Test(arguments: [
        "randaugment:0", "randaugment:2:31", "randaugment:1.5", "randaugment:2:9:1", "trivialaugment:2",
        "randaugment,trivialaugment",
    ])
    func wrongPoliciesAreNamed(_ text: String) {
        let error = #expect(throws: GraftError.self) { try Augmentation(text) }
        #expect(error?.message.contains("is no part of an augmentation") == true, "\(error?.message ?? "")")
    }
}
