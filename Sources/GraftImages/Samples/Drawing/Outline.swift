/// A place in an image in pixels, or in a figure's own units: x to the right, y downwards.
typealias Point = SIMD2<Float>

extension SIMD2<Float> {
    var length: Float { (x * x + y * y).squareRoot() }
    /// The direction, a quarter turn further.
    var turned: Point { Point(-y, x) }
    /// The same direction with length 1; right, where there is none.
    var unit: Point {
        let length = length
        return length > 1e-12 ? self / length : Point(1, 0)
    }
}

/// A closed line through points: a polygon with as many corners as its curves need.
struct Outline {
    var points: [Point]

    init(_ points: [Point]) { self.points = points }

    /// A smooth closed curve through points (Catmull and Rom's spline).
    init(smoothly points: [Point], steps: Int = 6) {
        self.points = Curve.through(points, isClosed: true, steps: steps)
    }

    /// A closed curve around a centre whose radius wavers.
    ///
    /// - Parameters:
    ///   - radii: half the width and half the height before it is turned.
    ///   - roughness: how far the radius departs from the ellipse, as a share.
    init(
        blobAt centre: Point, radii: Point, turns: Float = 0, roughness: Float = 0, corners: Int = 20,
        _ numbers: inout RandomNumbers
    ) {
        let waves = (2...5).map { wave in
            (Float(wave), numbers.uniform(), numbers.between(-1, 1) * roughness * 1.6 / Float(wave))
        }
        let axis = Arithmetic.direction(turns: turns)
        points = (0..<corners).map { corner in
            let turn = Float(corner) / Float(corners)
            var radius: Float = 1
            for (wave, phase, height) in waves {
                radius += height * Arithmetic.cosine(turns: wave * turn + phase)
            }
            let place = Arithmetic.direction(turns: turn) * radii * radius
            return centre + axis * place.x + axis.turned * place.y
        }
    }

    /// A stroke along a path, from one width to another.
    init(strokeAlong path: [Point], from start: Float, to end: Float) {
        guard path.count > 1 else {
            points = []
            return
        }
        var left: [Point] = []
        var right: [Point] = []
        for (number, point) in path.enumerated() {
            let ahead = path[min(number + 1, path.count - 1)] - path[max(number - 1, 0)]
            let share = Float(number) / Float(path.count - 1)
            let side = ahead.unit.turned * (Arithmetic.mix(start, end, share) / 2)
            left.append(point + side)
            right.append(point - side)
        }
        points = left + right.reversed()
    }

    /// The area with the sign of the direction it is drawn in (the shoelace formula).
    var signedArea: Float {
        var sum: Float = 0
        for (number, point) in points.enumerated() {
            let next = points[number + 1 == points.count ? 0 : number + 1]
            sum += point.x * next.y - next.x * point.y
        }
        return sum / 2
    }

    /// The centre of the smallest upright box.
    var boxCentre: Point {
        guard var low = points.first else { return .zero }
        var high = low
        for point in points {
            low = pointwiseMin(low, point)
            high = pointwiseMax(high, point)
        }
        return (low + high) / 2
    }

    func mapped(_ transform: (Point) -> Point) -> Outline { Outline(points.map(transform)) }
}

/// Smooth lines.
enum Curve {
    /// Points on the curve through these (Catmull and Rom's spline), `steps` for each stretch.
    static func through(_ points: [Point], isClosed: Bool = false, steps: Int = 6) -> [Point] {
        let count = points.count
        guard count > 2 else { return points }
        func point(_ index: Int) -> Point {
            isClosed ? points[(index + count) % count] : points[min(max(index, 0), count - 1)]
        }
        var result: [Point] = []
        for start in 0..<(isClosed ? count : count - 1) {
            let (a, b, c, d) = (point(start - 1), point(start), point(start + 1), point(start + 2))
            for step in 0..<steps {
                let t = Float(step) / Float(steps)
                let first = (c - a) * (t / 2)
                let second = (a * 2 - b * 5 + c * 4 - d) * (t * t / 2)
                let third = (b * 3 - a - c * 3 + d) * (t * t * t / 2)
                result.append(b + first + second + third)
            }
        }
        if !isClosed { result.append(points[count - 1]) }
        return result
    }

    /// Points on a parabola from one point to another, drawn towards a third.
    static func bow(from start: Point, towards middle: Point, to end: Point, steps: Int = 6) -> [Point] {
        (0...steps).map { step in
            let t = Float(step) / Float(steps)
            let s = 1 - t
            return start * (s * s) + middle * (2 * s * t) + end * (t * t)
        }
    }
}
