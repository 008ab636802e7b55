import GraftGraph

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What one view does to its image: drawn from a recipe as a function of seed, view and the image's content.
///
/// Not of its place in the dataset: a file that is added, moved or renamed changes no other's views.
struct ViewParameters: Hashable, Sendable {
    /// From the view to the image, both in units of their height and width: (0, 0) is the upper left corner, (1, 1) the lower
    /// right one. So it holds for a view of any size.
    var map = AffineMap.identity
    var colour = ColourAdjustment()
    /// What a policy does to colours after that, in order; its geometry is part of the map.
    var operations: [PolicyOperation] = []
    /// What is erased, in units of the view.
    var erased: Rectangle?

    struct Rectangle: Hashable, Sendable {
        let left: Double
        let top: Double
        let width: Double
        let height: Double
    }

    /// The view itself.
    static let identity = ViewParameters()

    /// - Parameters:
    ///   - content: a hash of the file's bytes.
    ///   - aspect: the width by height of the frame in which geometry takes place.
    init(_ recipe: Augmentation, seed: UInt64, view: Int, content: UInt64, aspect: Double) {
        let draw = Draw(seed: seed, view: view, content: content)
        let drawn = Self.operations(recipe, draw)
        // The last operation was done last, so that a view's pixel passes it first.
        map = drawn.reversed().compactMap { $0.map(aspect: aspect) }
            .reduce(AffineMap.identity) { $0.then($1) }
            .then(Self.flip(recipe, draw))
            .then(Self.crop(recipe, draw))
            .then(Self.transform(recipe, draw, aspect: aspect))
        colour = Self.colour(recipe, draw)
        operations = drawn.filter { $0.map(aspect: aspect) == nil }
        erased = Self.erased(recipe, draw)
    }

    private init() {}

    /// The numbers of a view. Each parameter has a position of its own, so that one more part in a recipe changes no other.
    private struct Draw {
        private let stream: RandomStream

        enum Position: Int {
            case horizontalFlip, verticalFlip, rotation, verticalShift, horizontalShift, shear, verticalZoom,
                horizontalZoom
            case cropArea, cropAspect, cropLeft, cropTop
            case brightness, contrast, saturation, hue, grayscale
            case erases, erasedArea, erasedAspect, erasedLeft, erasedTop
        }

        init(seed: UInt64, view: Int, content: UInt64) {
            let mixed = ContentHash.mix(UInt64(truncatingIfNeeded: view) &+ 0x5669_6577)
            stream = RandomStream(key: seed, stream: content ^ mixed)
        }

        /// Uniform in 0..<1.
        func unit(_ position: Position) -> Double { Double(stream.uniform(at: position.rawValue)) }

        /// Uniform in 0..<1, for a policy's operation of this number: its kind, its magnitude, its sign.
        func policy(_ number: Int) -> (kind: Double, magnitude: Double, sign: Double) {
            let first = 64 + 4 * number
            func unit(_ position: Int) -> Double { Double(stream.uniform(at: position)) }
            return (unit(first), unit(first + 1), unit(first + 2))
        }

        func uniform(_ position: Position, in range: ClosedRange<Double>) -> Double {
            range.lowerBound + (range.upperBound - range.lowerBound) * unit(position)
        }

        func uniform(_ position: Position, within limit: Double) -> Double { uniform(position, in: -limit...limit) }
    }

    private static func operations(_ recipe: Augmentation, _ draw: Draw) -> [PolicyOperation] {
        guard let policy = recipe.policy else { return [] }
        let kinds = PolicyOperation.Kind.allCases
        return (0..<policy.operationCount).compactMap { number in
            let drawn = draw.policy(number)
            let kind = kinds[min(Int(drawn.kind * Double(kinds.count)), kinds.count - 1)]
            let magnitude = policy.magnitude(of: kind, bin: policy.bin(drawn.magnitude))
            let isNegative = kind.isSigned && drawn.sign < 0.5
            return kind == .identity ? nil : PolicyOperation(kind: kind, magnitude: isNegative ? -magnitude : magnitude)
        }
    }

    private static func flip(_ recipe: Augmentation, _ draw: Draw) -> AffineMap {
        let isHorizontal = draw.unit(.horizontalFlip) < recipe.horizontalFlip
        let isVertical = draw.unit(.verticalFlip) < recipe.verticalFlip
        return .scaling(
            isHorizontal ? -1 : 1, isVertical ? -1 : 1, movingBy: isHorizontal ? 1 : 0, isVertical ? 1 : 0)
    }

    /// A rectangle inside the image. A crop of area `a` and aspect `r` has the width `√(a·r)` and the height `√(a/r)`, so that
    /// it fits where `a ≤ r ≤ 1/a`.
    private static func crop(_ recipe: Augmentation, _ draw: Draw) -> AffineMap {
        guard let area = recipe.cropArea.map({ draw.uniform(.cropArea, in: $0) }) else { return .identity }
        let range = recipe.cropAspect.clamped(to: area...(1 / area))
        let aspect = exp(draw.uniform(.cropAspect, in: log(range.lowerBound)...log(range.upperBound)))
        let (width, height) = (min((area * aspect).squareRoot(), 1), min((area / aspect).squareRoot(), 1))
        return .scaling(
            width, height, movingBy: draw.unit(.cropLeft) * (1 - width), draw.unit(.cropTop) * (1 - height))
    }

    private static func transform(_ recipe: Augmentation, _ draw: Draw, aspect: Double) -> AffineMap {
        Transform(
            rotation: draw.uniform(.rotation, within: recipe.rotation),
            shift: (
                draw.uniform(.horizontalShift, within: recipe.horizontalShift),
                draw.uniform(.verticalShift, within: recipe.verticalShift)
            ),
            shear: draw.uniform(.shear, within: recipe.shear),
            zoom: (draw.uniform(.horizontalZoom, in: recipe.zoom), draw.uniform(.verticalZoom, in: recipe.zoom))
        ).map(aspect: aspect)
    }

    /// What `ImageDataGenerator` does to an image, in Keras's units: angles in degrees, shifts in widths and heights.
    struct Transform {
        var rotation = 0.0
        var shift = (horizontal: 0.0, vertical: 0.0)
        var shear = 0.0
        var zoom = (horizontal: 1.0, vertical: 1.0)

        /// Rotation · shift · shear · zoom about the centre, in a frame of this width by height; a view's pixel passes them
        /// from the last to the first.
        func map(aspect: Double) -> AffineMap {
            // In units of the frame's height.
            let map = AffineMap.scaling(zoom.horizontal, zoom.vertical)
                .then(.shear(shear))
                .then(.scaling(1, 1, movingBy: shift.horizontal * aspect, shift.vertical))
                .then(.rotation(rotation))
            guard map != .identity else { return map }
            return AffineMap.scaling(aspect, 1, movingBy: -0.5 * aspect, -0.5)
                .then(map)
                .then(.scaling(1 / aspect, 1, movingBy: 0.5, 0.5))
        }
    }

    private static func colour(_ recipe: Augmentation, _ draw: Draw) -> ColourAdjustment {
        func factor(_ position: Draw.Position, _ limit: Double) -> Float {
            Float(1 + draw.uniform(position, within: limit))
        }
        return ColourAdjustment(
            brightness: Float(255 * draw.uniform(.brightness, within: recipe.brightness)),
            contrast: factor(.contrast, recipe.contrast), saturation: factor(.saturation, recipe.saturation),
            hue: Float(draw.uniform(.hue, within: recipe.hue)), isGray: draw.unit(.grayscale) < recipe.grayscale)
    }

    private static func erased(_ recipe: Augmentation, _ draw: Draw) -> Rectangle? {
        guard draw.unit(.erases) < recipe.erasing else { return nil }
        let area = draw.uniform(.erasedArea, in: 0.02...0.33)
        let aspect = exp(draw.uniform(.erasedAspect, in: log(max(0.3, area))...log(min(3.3, 1 / area))))
        let (width, height) = ((area * aspect).squareRoot(), (area / aspect).squareRoot())
        return Rectangle(
            left: draw.unit(.erasedLeft) * (1 - width), top: draw.unit(.erasedTop) * (1 - height), width: width,
            height: height)
    }
}

/// A 64-bit hash of a file's bytes, eight at a time, that is the same in every process and every run: what random numbers
/// follow from, not what tells files apart.
enum ContentHash {
    static func value(of bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBytes { bytes in
            var hash = mix(UInt64(bytes.count))
            for position in stride(from: 0, to: bytes.count - 7, by: 8) {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
                hash ^= hash &>> 32
            }
            for byte in bytes.suffix(bytes.count % 8) { hash = (hash ^ UInt64(byte)) &* 0x9E37_79B9_7F4A_7C15 }
            return mix(hash)
        }
    }

    /// Spreads a number over all bits: the finalizer of SplitMix64 (Steele et al., doi:10.1145/2660193.2660195).
    static func mix(_ number: UInt64) -> UInt64 {
        var value = number &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value &>> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value &>> 31)
    }
}
