#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A map of the plane: `(xx·x + xy·y + x0, yx·x + yy·y + y0)`.
struct AffineMap: Hashable, Sendable {
    var (xx, xy, x0) = (1.0, 0.0, 0.0)
    var (yx, yy, y0) = (0.0, 1.0, 0.0)

    static let identity = AffineMap()

    /// Scales each axis, then moves.
    static func scaling(_ x: Double, _ y: Double, movingBy dx: Double = 0, _ dy: Double = 0) -> AffineMap {
        AffineMap(xx: x, xy: 0, x0: dx, yx: 0, yy: y, y0: dy)
    }

    /// Keras's rotation by an angle in degrees: `x' = cos·x − sin·y`, `y' = sin·x + cos·y`.
    static func rotation(_ degrees: Double) -> AffineMap {
        let (sine, cosine) = (sin(degrees * .pi / 180), cos(degrees * .pi / 180))
        return AffineMap(xx: cosine, xy: -sine, x0: 0, yx: sine, yy: cosine, y0: 0)
    }

    /// Keras's shear by an angle in degrees: `x' = x − sin·y`, `y' = cos·y`.
    static func shear(_ degrees: Double) -> AffineMap {
        AffineMap(xx: 1, xy: -sin(degrees * .pi / 180), x0: 0, yx: 0, yy: cos(degrees * .pi / 180), y0: 0)
    }

    /// This map, then another.
    func then(_ other: AffineMap) -> AffineMap {
        let (x0, y0) = other(self.x0, self.y0)
        return AffineMap(
            xx: other.xx * xx + other.xy * yx, xy: other.xx * xy + other.xy * yy, x0: x0,
            yx: other.yx * xx + other.yy * yx, yy: other.yx * xy + other.yy * yy, y0: y0)
    }

    func callAsFunction(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
        (xx * x + xy * y + x0, yx * x + yy * y + y0)
    }
}
