/// What a leaf lies on.
enum Ground: Int, CaseIterable {
    case soil, gravel, stone, grass, wood, paper

    /// Each as often as it is drawn: what lies quietly under a leaf more often than what is restless.
    static let asOften: [Ground] = [
        .soil, .soil, .gravel, .stone, .stone, .grass, .wood, .wood, .paper, .paper, .paper,
    ]

    /// The ground as a canvas.
    ///
    /// - Parameter toLight: the direction that the light comes from, in the image.
    func canvas(side: Int, toLight: Point, _ seed: SceneSeed) -> Canvas {
        var numbers = seed.numbers(for: .ground)
        var texture = seed.numbers(for: .groundTexture)
        let noise = Noise(&texture)
        let painter = GroundPainter(side: side, toLight: toLight, noise: noise)
        return switch self {
        case .soil: painter.soil(&numbers)
        case .gravel: painter.gravel(&numbers)
        case .stone: painter.stone(&numbers)
        case .grass: painter.grass(&numbers)
        case .wood: painter.wood(&numbers)
        case .paper: painter.paper(&numbers)
        }
    }
}

/// Draws grounds.
private struct GroundPainter {
    let side: Int
    let toLight: Point
    let noise: Noise

    private var unit: Float { Float(side) }

    /// Two colours by a noise, lit as if the noise were hills.
    private func relief(
        _ hills: Plane, from low: Colour, to high: Colour, steepness: Float, contrast: Float = 1.8
    ) -> Canvas {
        var canvas = Canvas(side: side)
        let step = Point(toLight.x.rounded(), toLight.y.rounded())
        canvas.fill { x, y in
            let height = hills.values[y * side + x]
            let slope = height - hills[x + Int(step.x), y + Int(step.y)]
            let share = min(max((height - 0.5) * contrast + 0.5, 0), 1)
            return low.mixed(with: high, share) * max(0.2, 1 + slope * steepness * unit / 160)
        }
        return canvas
    }

    func soil(_ numbers: inout RandomNumbers) -> Canvas {
        let tone = numbers.pick([Colour(0x6E5540), Colour(0x574435), Colour(0x7C654E), Colour(0x665A4C)])
            .varied(brightness: 0.25, hue: 0.08, &numbers)
        let hills = noise.plane(side: side, size: Point(repeating: 0.14), octaves: 5, persistence: 0.68)
        var canvas = relief(hills, from: tone * 0.3, to: tone * 1.7, steepness: 2.6)
        for _ in 0..<numbers.whole(40, 130) {
            let radius = numbers.between(0.004, 0.014) * unit
            let colour = tone * numbers.between(0.5, 2.2)
            pebble(at: place(&numbers), radius: radius, colour: colour, &numbers, on: &canvas)
        }
        return canvas
    }

    func gravel(_ numbers: inout RandomNumbers) -> Canvas {
        let tones = numbers.pick([
            [Colour(0x9A948A), Colour(0x77716A), Colour(0xB7AD9C)],
            [Colour(0xA08C72), Colour(0x7D6B58), Colour(0xC2B195)],
            [Colour(0x6E7378), Colour(0x8C9196), Colour(0x55585C)],
        ])
        let size = numbers.between(0.016, 0.036)
        let dark = tones[1] * 0.25
        var canvas = relief(
            noise.plane(side: side, size: Point(repeating: 0.04), octaves: 3), from: dark, to: tones[1], steepness: 1.5)
        for _ in 0..<Int(0.62 / (size * size)) / 2 {
            let colour = numbers.pick(tones).varied(brightness: 0.4, hue: 0.06, &numbers)
            let radius = size * numbers.between(0.5, 1.35) * unit
            pebble(at: place(&numbers), radius: radius, colour: colour, &numbers, on: &canvas)
        }
        return canvas
    }

    func stone(_ numbers: inout RandomNumbers) -> Canvas {
        let tone = numbers.pick([Colour(0x8F8F8C), Colour(0xA59C8E), Colour(0x75797D), Colour(0xA88F80)])
            .varied(brightness: 0.3, hue: 0.05, &numbers)
        let clouds = noise.plane(side: side, size: Point(repeating: 0.4), octaves: 5, persistence: 0.6)
        var canvas = relief(clouds, from: tone * 0.55, to: tone * 1.35, steepness: 1.6)
        let speckles = noise.plane(
            side: side, size: Point(repeating: numbers.between(0.02, 0.04)), turns: numbers.uniform(), octaves: 2)
        let (dark, bright) = (numbers.between(0.25, 0.6), numbers.between(1.3, 1.8))
        canvas.multiply { x, y in
            let value = speckles.values[y * side + x]
            let factor =
                1 + (dark - 1) * Arithmetic.smoothStep(0.66, 0.74, value)
                + (bright - 1) * Arithmetic.smoothStep(0.34, 0.26, value)
            return Colour(factor, factor, factor)
        }
        for _ in 0..<numbers.whole(0, 2) { crack(&numbers, on: &canvas) }
        return canvas
    }

    private func crack(_ numbers: inout RandomNumbers, on canvas: inout Canvas) {
        var point = Point(numbers.between(0, 1), -0.02)
        var path: [Point] = []
        let axis = Arithmetic.direction(turns: numbers.uniform())
        while point.y < 1.05 {
            let fromMiddle = point - 0.5
            path.append((axis * fromMiddle.x * 1.3 + axis.turned * fromMiddle.y * 1.5 + 0.5) * unit)
            point += Point(numbers.between(-0.05, 0.05), numbers.between(0.03, 0.09))
        }
        let width = numbers.between(0.006, 0.014) * unit
        let stroke = Outline(strokeAlong: path, from: width, to: width * 0.6)
        canvas.paint(Mask(stroke, side: side), Colour(0x1E1C1A), opacity: 0.75)
        let edge = stroke.mapped { $0 - toLight * width * 0.8 }
        canvas.paint(Mask(edge, side: side), Colour(1, 1, 1), opacity: 0.12)
    }

    func grass(_ numbers: inout RandomNumbers) -> Canvas {
        let tones = numbers.pick([
            [Colour(0x4E7A2E), Colour(0x6B9440), Colour(0x88A850)],
            [Colour(0x5E7F3A), Colour(0x8A9A4A), Colour(0xB3A765)],
            [Colour(0x8D8A4A), Colour(0xB5A468), Colour(0x6F7F3C)],
            [Colour(0x3F6B33), Colour(0x4F8040), Colour(0x6F9A58)],
        ])
        var canvas = Canvas(side: side, colour: tones[0] * 0.12)
        let lean = numbers.between(-0.25, 0.25)
        let count = 230
        for number in 0..<count {
            let depth = Float(number) / Float(count)
            let root = place(&numbers) + Point(0, 0.1) * unit
            let turns = lean + numbers.between(-0.17, 0.17)
            let up = Arithmetic.heading(turns: turns)
            let length = numbers.between(0.16, 0.42) * unit
            let tip = root + up * length
            let path = Curve.bow(
                from: root, towards: root + up * length * 0.6 + up.turned * numbers.between(-0.2, 0.2) * length,
                to: tip,
                steps: 5)
            let colour = numbers.pick(tones).varied(brightness: 0.3, hue: 0.08, &numbers)
            let width = numbers.between(0.014, 0.03) * unit
            blade(path, width: width, colour: colour * (0.25 + 0.95 * depth), on: &canvas)
        }
        return canvas
    }

    /// A blade of grass, lighter on the side of the light.
    private func blade(_ path: [Point], width: Float, colour: Colour, on canvas: inout Canvas) {
        canvas.paint(Mask(Outline(strokeAlong: path, from: width, to: 0.3), side: side), colour * 0.78)
        let lit = path.map { $0 + toLight * width * 0.22 }
        canvas.paint(Mask(Outline(strokeAlong: lit, from: width * 0.5, to: 0.2), side: side), colour * 1.2)
    }

    func wood(_ numbers: inout RandomNumbers) -> Canvas {
        let tone = numbers.pick([
            Colour(0xB08A5E), Colour(0x8C6844), Colour(0xA39684), Colour(0x6E4E36), Colour(0xC6A678),
        ])
        .varied(brightness: 0.2, hue: 0.05, &numbers)
        let turns = numbers.uniform()
        let grain = noise.plane(
            side: side, size: Point(0.9, numbers.between(0.03, 0.06)), turns: turns, octaves: 4, persistence: 0.7)
        let rings = noise.plane(side: side, size: Point(1.2, 0.3), turns: turns, octaves: 2)
        var canvas = relief(grain, from: tone * 0.55, to: tone * 1.3, steepness: 0.8)
        let ringCount = numbers.between(8, 16)
        let depth = numbers.between(0.12, 0.3)
        canvas.multiply { x, y in
            let wave = Arithmetic.sine(turns: rings.values[y * side + x] * ringCount)
            let factor = 1 - depth * Arithmetic.smoothStep(0.2, 1, wave)
            return Colour(factor, factor, factor * 0.98)
        }
        boards(along: Arithmetic.direction(turns: turns), &numbers, on: &canvas)
        return canvas
    }

    /// Gaps between boards.
    private func boards(along axis: Point, _ numbers: inout RandomNumbers, on canvas: inout Canvas) {
        let width = numbers.between(0.24, 0.6)
        var position = -0.8 + numbers.between(0, 1) * width
        while position < 0.8 {
            let middle = (Point(0.5, 0.5) + axis.turned * position) * unit
            let path = [middle - axis * unit, middle + axis * unit]
            let gap = 0.009 * unit
            canvas.paint(
                Mask(Outline(strokeAlong: path, from: gap, to: gap), side: side), Colour(0x17110C), opacity: 0.85)
            let edge = path.map { $0 - toLight * gap }
            canvas.paint(
                Mask(Outline(strokeAlong: edge, from: gap, to: gap), side: side), Colour(1, 1, 1), opacity: 0.1)
            position += width * numbers.between(0.94, 1.06)
        }
    }

    func paper(_ numbers: inout RandomNumbers) -> Canvas {
        let tone = numbers.pick([
            Colour(0xE9E6DE), Colour(0xD8C9A8), Colour(0xB99A6C), Colour(0xBFCBD2), Colour(0xD9BDB4), Colour(0x9A9C98),
            Colour(0x4A5058),
        ]).varied(brightness: 0.15, hue: 0.04, &numbers)
        let waves = noise.plane(side: side, size: Point(repeating: 0.7), octaves: 2)
        let fibres = noise.plane(
            side: side, size: Point(0.06, 0.012), turns: numbers.uniform(), octaves: 2, persistence: 0.6)
        var canvas = Canvas(side: side)
        let roughness = numbers.between(0.06, 0.2)
        canvas.fill { x, y in
            let position = y * side + x
            return tone * (1 + 0.25 * (waves.values[position] - 0.5) + roughness * (fibres.values[position] - 0.5))
        }
        if numbers.chance(0.4) { lines(&numbers, on: &canvas) }
        return canvas
    }

    /// The lines or squares of an exercise book.
    private func lines(_ numbers: inout RandomNumbers, on canvas: inout Canvas) {
        let axis = Arithmetic.direction(turns: numbers.uniform())
        let distance = numbers.between(0.055, 0.1)
        let ink = numbers.pick([Colour(0x5F7FA8), Colour(0x8C8C8C), Colour(0xA86A6A)])
        let isSquared = numbers.chance(0.5)
        let width = max(0.006 * unit, 0.5)
        for direction in isSquared ? [axis, axis.turned] : [axis] {
            var strokes: [Outline] = []
            var position: Float = -0.75
            while position < 0.75 {
                let middle = (Point(0.5, 0.5) + direction.turned * position) * unit
                strokes.append(
                    Outline(
                        strokeAlong: [middle - direction * unit, middle + direction * unit], from: width, to: width))
                position += distance
            }
            canvas.paint(Mask(strokes, side: side), ink, opacity: 0.5)
        }
    }

    private func place(_ numbers: inout RandomNumbers) -> Point {
        Point(numbers.between(-0.03, 1.03), numbers.between(-0.03, 1.03)) * unit
    }

    private func pebble(
        at centre: Point, radius: Float, colour: Colour, _ numbers: inout RandomNumbers, on canvas: inout Canvas
    ) {
        Debris.pebble(at: centre, radius: radius, colour: colour, &numbers).paint(on: &canvas, toLight: toLight)
    }
}
