/// Random hills and valleys: numbers on a grid with smooth passages between them ("value noise"), 0 to 1.
struct Noise {
    private static let period = 64
    private static let shift: Float = 1024
    private let table: [Float]

    init(_ numbers: inout RandomNumbers) {
        table = (0..<(Self.period * Self.period)).map { _ in numbers.uniform() }
    }

    /// The height at a place; hills are about one unit wide, and return after 64. From −1000 on.
    func value(_ x: Float, _ y: Float) -> Float {
        table.withUnsafeBufferPointer { table in
            // Counted from a whole number of periods below the origin, so that cutting off is rounding down.
            let (column, row) = (Int(x + Self.shift), Int(y + Self.shift))
            let right = Self.smooth(x + Self.shift - Float(column))
            let down = Self.smooth(y + Self.shift - Float(row))
            let mask = Self.period - 1
            let (left, top) = (column & mask, (row & mask) * Self.period)
            let (nextLeft, nextTop) = ((column + 1) & mask, ((row + 1) & mask) * Self.period)
            let upper = Arithmetic.mix(table[top + left], table[top + nextLeft], right)
            let lower = Arithmetic.mix(table[nextTop + left], table[nextTop + nextLeft], right)
            return Arithmetic.mix(upper, lower, down)
        }
    }

    private static func smooth(_ t: Float) -> Float { t * t * (3 - 2 * t) }

    /// Noise on a whole image: octaves of half the size and `persistence` times the height each, about 0.5 in the mean.
    ///
    /// - Parameters:
    ///   - size: the width of the largest hills along and across `turns`, as a share of the image's side.
    func plane(
        side: Int, size: Point, turns: Float = 0, octaves: Int = 4, persistence: Float = 0.5
    ) -> Plane {
        var plane = Plane(side: side)
        let heights = (0..<octaves).map { octave in (0..<octave).reduce(Float(1)) { height, _ in height * persistence }
        }
        let total = heights.reduce(0, +)
        for (octave, height) in heights.enumerated() {
            // Round hills are turned from octave to octave, so that no grid shows.
            let axis = Arithmetic.direction(turns: turns + (size.x == size.y ? 0.1 * Float(octave) : 0))
            let scale = Float(1 << octave) / Float(side)
            let (across, down) = (axis * (scale / size.x), axis.turned * (scale / size.y))
            add(height / total, to: &plane, across: across, down: down, shift: Point(17.3, 9.7) * Float(octave))
        }
        return plane
    }

    private func add(_ height: Float, to plane: inout Plane, across: Point, down: Point, shift: Point) {
        for y in 0..<plane.side {
            for x in 0..<plane.side {
                let place = Point(Float(x) + 0.5, Float(y) + 0.5)
                let u = place.x * across.x + place.y * across.y + shift.x
                let v = place.x * down.x + place.y * down.y + shift.y
                plane.values[y * plane.side + x] += value(u, v) * height
            }
        }
    }
}
