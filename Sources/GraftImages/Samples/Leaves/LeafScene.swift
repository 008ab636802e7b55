/// One leaf on some ground, with what lies about it and the light of some hour.
enum LeafScene {
    static func image(_ seed: SceneSeed, side: Int) -> DecodedImage {
        var light = seed.numbers(for: .light)
        let toLight = Arithmetic.direction(turns: light.uniform())
        var ground = seed.numbers(for: .debris)
        var canvas = ground.pick(Ground.allCases).canvas(side: side, toLight: toLight, seed)
        let unit = Float(side)
        for _ in 0..<ground.whole(0, 6) {
            let place = Point(ground.uniform(), ground.uniform()) * unit
            Debris.any(at: place, unit: unit, &ground).paint(on: &canvas, toLight: toLight)
        }
        placed(seed, side: side, toLight: toLight).paint(on: &canvas)
        occlude(seed, toLight: toLight, on: &canvas)
        illuminate(&canvas, toLight: toLight, &light)
        return camera(&light).image(of: canvas, &light)
    }

    /// A leaf of the wanted kind, turned, tilted, and as large as leaves of the other kinds: all cover the same share of
    /// the image in the mean.
    private static func placed(_ seed: SceneSeed, side: Int, toLight: Point) -> LeafPainter {
        var shape = seed.numbers(for: .shape)
        let kind = LeafKind.allCases[seed.classNumber]
        let leaf = kind.leaf(&shape)
        var pose = seed.numbers(for: .pose)
        let mirror: Float = pose.chance(0.5) ? -1 : 1
        let axis = Arithmetic.direction(turns: pose.uniform())
        let tilt = Arithmetic.direction(turns: pose.uniform())
        let squeeze = pose.between(0.72, 1) - 1
        func turned(_ point: Point) -> Point {
            let flat = axis * (point.x * mirror) + axis.turned * point.y
            return flat + tilt * ((flat.x * tilt.x + flat.y * tilt.y) * squeeze)
        }
        let outline = leaf.outline.mapped(turned)
        let area = pose.between(0.08, 0.175)
        let scale = (area / max(abs(outline.signedArea), 1e-3)).squareRoot() * Float(side)
        let middle = Point(repeating: Float(side) / 2) + pose.offset(0.09 * Float(side))
        let centre = outline.boxCentre
        return LeafPainter(
            leaf: leaf.mapped { (turned($0) - centre) * scale + middle }, scale: scale, toLight: toLight, seed: seed)
    }

    /// In some images, something lies on the leaf.
    private static func occlude(_ seed: SceneSeed, toLight: Point, on canvas: inout Canvas) {
        var numbers = seed.numbers(for: .occlusion)
        guard numbers.chance(0.45) else { return }
        let unit = Float(canvas.side)
        for _ in 0..<numbers.whole(1, 3) {
            let place = (Point(0.5, 0.5) + numbers.offset(0.28)) * unit
            var debris = Debris.any(at: place, unit: unit, &numbers)
            debris.height += 0.012 * unit
            debris.paint(on: &canvas, toLight: toLight)
        }
    }

    /// Light from one side, and in some images the shadows of a tree above.
    private static func illuminate(_ canvas: inout Canvas, toLight: Point, _ numbers: inout RandomNumbers) {
        let side = canvas.side
        let slope = numbers.between(0, 0.55)
        let isDappled = numbers.chance(0.4)
        let depth = numbers.between(0.3, 0.65)
        let shadow = Colour(depth, depth * 1.03, depth * 1.12)
        let noise = Noise(&numbers)
        let leaves =
            isDappled ? noise.plane(side: side, size: Point(repeating: numbers.between(0.2, 0.45)), octaves: 2) : nil
        let threshold = numbers.between(0.4, 0.6)
        canvas.multiply { x, y in
            let place = Point(Float(x) + 0.5, Float(y) + 0.5) / Float(side) - 0.5
            let factor = 1 + slope * (place.x * toLight.x + place.y * toLight.y)
            let light = Colour(factor, factor, factor)
            guard let leaves else { return light }
            let share = Arithmetic.smoothStep(threshold - 0.08, threshold + 0.08, leaves.values[y * side + x])
            return light * Colour(1, 1, 1).mixed(with: shadow, share)
        }
    }

    private static func camera(_ numbers: inout RandomNumbers) -> Camera {
        let exposure = numbers.between(0.6, 1.35)
        let warmth = numbers.between(-0.16, 0.16)
        return Camera(
            blur: numbers.chance(0.25) ? numbers.between(0.005, 0.009) : numbers.between(0.001, 0.005),
            gain: Colour(exposure * (1 + warmth), exposure, exposure * (1 - warmth)),
            noise: numbers.between(0.004, 0.035), vignette: numbers.between(0, 0.5))
    }
}
