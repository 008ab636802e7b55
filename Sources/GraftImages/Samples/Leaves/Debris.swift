/// Small things that lie about, under a leaf or on it.
struct Debris {
    var outlines: [Outline]
    var colour: Colour
    /// How far it is above the ground, in pixels: its shadow falls as far.
    var height: Float
    /// The middle and the size by which its light side is found.
    private var centre: Point
    private var radius: Float
    /// How much lighter the side of the light is.
    private var roundness: Float

    /// A stone.
    static func pebble(at centre: Point, radius: Float, colour: Colour, _ numbers: inout RandomNumbers) -> Debris {
        let radii = Point(radius, radius * numbers.between(0.6, 1))
        let outline = Outline(
            blobAt: centre, radii: radii, turns: numbers.uniform(), roughness: 0.12, corners: radius < 4 ? 9 : 16,
            &numbers)
        return Debris(
            outlines: [outline], colour: colour, height: radius * 0.35, centre: centre, radius: radius, roundness: 0.55)
    }

    /// A twig with a side twig or two.
    static func twig(at centre: Point, length: Float, _ numbers: inout RandomNumbers) -> Debris {
        let axis = Arithmetic.direction(turns: numbers.uniform())
        let (start, end) = (centre - axis * (length / 2), centre + axis * (length / 2))
        let path = Curve.bow(
            from: start, towards: centre + axis.turned * numbers.between(-0.12, 0.12) * length, to: end)
        let width = max(length * numbers.between(0.02, 0.045), 0.8)
        var outlines = [Outline(strokeAlong: path, from: width, to: width * 0.5)]
        for _ in 0..<numbers.whole(0, 2) {
            let root = path[numbers.whole(2, 5)]
            let side: Float = numbers.chance(0.5) ? 1 : -1
            let tip =
                root + (axis + axis.turned * (side * numbers.between(0.5, 1))).unit * length
                * numbers.between(0.1, 0.25)
            outlines.append(Outline(strokeAlong: [root, tip], from: width * 0.6, to: width * 0.35))
        }
        let colour = numbers.pick([Colour(0x5A4632), Colour(0x7A6650), Colour(0x3E342B), Colour(0x94836C)])
            .varied(brightness: 0.2, hue: 0.05, &numbers)
        return Debris(outlines: outlines, colour: colour, height: width, centre: centre, radius: length, roundness: 0.2)
    }

    /// A blade of grass or a needle.
    static func blade(at centre: Point, length: Float, _ numbers: inout RandomNumbers) -> Debris {
        let axis = Arithmetic.direction(turns: numbers.uniform())
        let path = Curve.bow(
            from: centre - axis * (length / 2), towards: centre + axis.turned * numbers.between(-0.3, 0.3) * length,
            to: centre + axis * (length / 2))
        let colour = numbers.pick([Colour(0x6B9440), Colour(0xB5A468), Colour(0x8A6A3A), Colour(0x4E7A2E)])
            .varied(brightness: 0.2, hue: 0.08, &numbers)
        let width = max(length * numbers.between(0.02, 0.05), 0.7)
        return Debris(
            outlines: [Outline(strokeAlong: path, from: width, to: 0.3)], colour: colour, height: width, centre: centre,
            radius: length, roundness: 0.2)
    }

    /// A petal, or a scrap of some leaf.
    static func scrap(at centre: Point, radius: Float, _ numbers: inout RandomNumbers) -> Debris {
        let outline = Outline(
            blobAt: centre, radii: Point(radius, radius * numbers.between(0.4, 0.9)), turns: numbers.uniform(),
            roughness: numbers.between(0.05, 0.3), corners: 24, &numbers)
        let colour =
            (numbers.chance(0.6) ? LeafColours(&numbers).blade : numbers.pick([Colour(0xE8D8DC), Colour(0xD9A0B0)]))
            .varied(brightness: 0.2, hue: 0.05, &numbers)
        return Debris(
            outlines: [outline], colour: colour, height: radius * 0.12 + 0.6, centre: centre, radius: radius,
            roundness: 0.15)
    }

    /// Any of them.
    static func any(at centre: Point, unit: Float, _ numbers: inout RandomNumbers) -> Debris {
        switch numbers.whole(0, 3) {
        case 0: twig(at: centre, length: numbers.between(0.15, 0.5) * unit, &numbers)
        case 1: blade(at: centre, length: numbers.between(0.15, 0.5) * unit, &numbers)
        case 2: scrap(at: centre, radius: numbers.between(0.02, 0.07) * unit, &numbers)
        default:
            pebble(
                at: centre, radius: numbers.between(0.015, 0.05) * unit,
                colour: Colour(0x8F8A82).varied(brightness: 0.5, hue: 0.1, &numbers), &numbers)
        }
    }

    /// Draws its shadow and itself.
    func paint(on canvas: inout Canvas, toLight: Point) {
        let side = canvas.side
        for share in [Float(0.5), 1] {
            let shadow = outlines.map { $0.mapped { $0 - toLight * (height * share) } }
            canvas.paint(Mask(shadow, side: side), Colour(0, 0, 0), opacity: 0.3)
        }
        canvas.paint(Mask(outlines, side: side)) { x, y in
            let place = (Point(Float(x), Float(y)) + 0.5 - centre) / radius
            let light = place.x * toLight.x + place.y * toLight.y
            return colour * max(0.25, 1 + roundness * light)
        }
    }
}
