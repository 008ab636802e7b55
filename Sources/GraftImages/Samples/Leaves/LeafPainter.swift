/// Colours of a leaf in any season; they say nothing about its kind.
struct LeafColours {
    var blade: Colour
    /// What the blade turns into at its edge or between its veins.
    var turning: Colour
    var veins: Colour

    /// From fresh to fallen.
    private static let seasons: [Colour] = [
        Colour(0x3F6E2A), Colour(0x5E8C34), Colour(0x86A53C), Colour(0xB9B83E), Colour(0xE3BE3C), Colour(0xE09A2E),
        Colour(0xCF6A2A), Colour(0xB33E2B), Colour(0x8C2C30), Colour(0x84502E), Colour(0x6A4630), Colour(0x9A7A50),
    ]

    init(_ numbers: inout RandomNumbers) {
        let place = numbers.whole(0, Self.seasons.count - 1)
        let next = min(max(place + numbers.whole(-2, 3), 0), Self.seasons.count - 1)
        blade = Self.seasons[place].varied(brightness: 0.18, hue: 0.08, &numbers)
        turning = Self.seasons[next].varied(brightness: 0.18, hue: 0.08, &numbers)
        let light = Colour(0xE6DDA8).varied(brightness: 0.1, hue: 0.05, &numbers)
        veins =
            numbers.chance(0.72)
            ? blade.mixed(with: light, numbers.between(0.3, 0.65)) : blade * numbers.between(0.35, 0.6)
    }
}

/// Draws one leaf that has its place in an image.
struct LeafPainter {
    let leaf: Leaf
    /// The length of the leaf's own unit, in pixels.
    let scale: Float
    let toLight: Point
    let seed: SceneSeed

    /// Draws its shadow, its stem and its blade.
    func paint(on canvas: inout Canvas) {
        let side = canvas.side
        var numbers = seed.numbers(for: .surface)
        var texture = seed.numbers(for: .surfaceTexture)
        let noise = Noise(&texture)
        let colours = LeafColours(&numbers)
        let blade = bladeMask(side: side, &numbers)
        let stem = Mask(
            Outline(strokeAlong: leaf.stem, from: max(scale * 0.022, 0.9), to: max(scale * 0.03, 1.1)), side: side)
        paintShadow(of: [blade, stem], &numbers, on: &canvas)
        let stemColour = colours.veins.mixed(with: colours.blade, 0.5) * 0.8
        let grain = 48 / Float(side)
        canvas.paint(stem) { x, y in stemColour * (0.9 + 0.2 * noise.value(Float(x) * grain, Float(y) * grain)) }
        let surface = LeafSurface(painter: self, blade: blade, noise: noise, colours: colours, side: side, &numbers)
        canvas.paint(blade) { x, y in surface.colour(x, y) }
    }

    /// What the blade covers, less what insects have eaten.
    private func bladeMask(side: Int, _ numbers: inout RandomNumbers) -> Mask {
        var mask = Mask(leaf.outline, side: side)
        guard numbers.chance(0.3), !leaf.outline.points.isEmpty else { return mask }
        for _ in 0..<numbers.whole(1, 3) {
            let corner = numbers.pick(leaf.outline.points)
            let centre = corner + (leaf.outline.boxCentre - corner) * numbers.between(0, 0.6)
            let hole = Outline(
                blobAt: centre, radii: Point(repeating: numbers.between(0.012, 0.04) * scale), roughness: 0.2, &numbers)
            mask.subtract(Mask(hole, side: side))
        }
        return mask
    }

    private func paintShadow(of masks: [Mask], _ numbers: inout RandomNumbers, on canvas: inout Canvas) {
        let unit = Float(canvas.side)
        let distance = numbers.between(0.008, 0.045) * unit
        let softness = numbers.between(0.25, 0.6) * distance + 0.003 * unit
        let depth = numbers.between(0.25, 0.65)
        var plane = Plane(side: canvas.side)
        for mask in masks { plane.cover(with: mask) }
        let shadow = plane.moved(by: toLight * -distance).blurred(softness)
        canvas.shade(by: shadow, remaining: Colour(depth, depth, depth * 1.08))
    }
}

/// The light and colour of each point of a blade.
private struct LeafSurface {
    private let side: Int
    private let toLight: Point
    private let colours: LeafColours
    private let veins: Plane
    private let veinStrength: Float
    private let hills: Plane
    private let turned: Plane
    private let grain: Plane
    private let spots: Plane
    private let relief: Float
    private let paleness: Float
    private let gloss: Float

    init(
        painter: LeafPainter, blade: Mask, noise: Noise, colours: LeafColours, side: Int, _ numbers: inout RandomNumbers
    ) {
        self.side = side
        self.colours = colours
        toLight = painter.toLight
        let unit = Float(side)
        let scale = painter.scale
        let strokes = painter.leaf.veins.map { vein in
            let width = max(vein.width * scale, 0.75)
            return Outline(strokeAlong: vein.path, from: width, to: max(width * 0.4, 0.45))
        }
        veins = Mask(strokes, side: side).plane(side: side)
        veinStrength = numbers.between(0.45, 0.95)

        // Seen from below, veins stand out and colours are pale.
        let isFromBelow = numbers.chance(0.25)
        paleness = isFromBelow ? numbers.between(0.15, 0.35) : 0
        gloss = isFromBelow ? 0 : numbers.between(0, 0.22)
        relief = numbers.between(1.2, 2.6)
        let grooves = veins.blurred(0.011 * unit)
        let whole = blade.plane(side: side)
        let inner = whole.blurred(0.035 * unit)
        let waves = noise.plane(side: side, size: Point(repeating: 0.22), octaves: 2)
        let sign: Float = isFromBelow ? 1 : -1
        let curl = numbers.between(-0.5, 0.9)
        var hills = Plane(side: side)
        for position in hills.values.indices {
            hills.values[position] =
                grooves.values[position] * sign * 0.9 + waves.values[position] * 1.1 + inner.values[position] * curl
        }
        self.hills = hills

        turned = Self.turning(inner: inner, grooves: grooves, noise: noise, &numbers)
        grain = noise.plane(side: side, size: Point(repeating: 0.03), octaves: 3, persistence: 0.7)
        spots = noise.plane(side: side, size: Point(repeating: numbers.between(0.03, 0.08)), octaves: 1)
    }

    /// How far each point has turned: from the edge inwards, away from the veins, and in patches.
    private static func turning(inner: Plane, grooves: Plane, noise: Noise, _ numbers: inout RandomNumbers) -> Plane {
        let patches = noise.plane(side: inner.side, size: Point(repeating: 0.3), turns: 0.13, octaves: 3)
        let (edge, vein, patch) = (numbers.between(0, 1.2), numbers.between(0, 1.2), numbers.between(0.5, 2.2))
        let start = numbers.between(0.1, 0.7)
        var plane = Plane(side: inner.side)
        for position in plane.values.indices {
            let share =
                edge * (1 - inner.values[position]) - vein * grooves.values[position] + patch
                * (patches.values[position] - 0.5)
            plane.values[position] = Arithmetic.smoothStep(start - 0.35, start + 0.35, share)
        }
        return plane
    }

    func colour(_ x: Int, _ y: Int) -> Colour {
        let position = y * side + x
        var colour = colours.blade.mixed(with: colours.turning, turned.values[position])
        colour = colour * (0.8 + 0.4 * grain.values[position])
        colour = colour * (1 - 0.65 * Arithmetic.smoothStep(0.84, 0.9, spots.values[position]))
        colour = colour.mixed(with: colours.veins, veins.values[position] * veinStrength)
        if paleness > 0 { colour = colour.mixed(with: Colour(0xC9CDB4), paleness) }
        let slope = Point(hills[x + 1, y] - hills[x - 1, y], hills[x, y + 1] - hills[x, y - 1])
        let light = -(slope.x * toLight.x + slope.y * toLight.y) * relief * Float(side) / 160
        let shine = gloss * Arithmetic.smoothStep(0.02, 0.35, light)
        return colour * min(max(0.92 + light, 0.35), 1.7) + Colour(shine, shine, shine)
    }
}
