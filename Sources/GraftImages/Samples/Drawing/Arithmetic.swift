/// Elementary functions made of `+ − × ÷ √` alone, which IEEE 754 rounds the same way on every machine. The functions of
/// C libraries differ in their last bits, and with them an image here and there would.
enum Arithmetic {
    /// The sine of a number of whole turns, within 1e-5.
    static func sine(turns: Float) -> Float {
        var turn = turns - turns.rounded()  // −½ … ½
        if turn > 0.25 { turn = 0.5 - turn }
        if turn < -0.25 { turn = -0.5 - turn }
        let x = turn * 6.2831853
        let square = x * x
        // Taylor's series; x is at most a quarter of a turn.
        return x * (1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72))))
    }

    /// The cosine of a number of whole turns, within 1e-5.
    static func cosine(turns: Float) -> Float { sine(turns: turns + 0.25) }

    /// The direction at an angle in turns: 0 is right, ¼ is down.
    static func direction(turns: Float) -> Point { Point(cosine(turns: turns), sine(turns: turns)) }

    /// The direction at an angle from straight up, in turns clockwise.
    static func heading(turns: Float) -> Point { Point(sine(turns: turns), -cosine(turns: turns)) }

    /// About `e^(−x)` for x ≥ 0: `(1 + x/32)^(−32)`, 1 at 0 and falling to 0 without a step.
    static func decay(_ x: Float) -> Float {
        var base = 1 + x * 0.03125
        for _ in 0..<5 { base *= base }
        return 1 / base
    }

    /// `x^(1/5)` for 0 ≤ x ≤ 1, by Newton's method.
    static func fifthRoot(_ x: Double) -> Double {
        guard x > 0 else { return 0 }
        var root = 1.0
        for _ in 0..<60 {
            let fourth = root * root * root * root
            root -= (fourth * root - x) / (5 * fourth)
        }
        return root
    }

    /// 0 below `low`, 1 above `high`, and `3t² − 2t³` between them.
    static func smoothStep(_ low: Float, _ high: Float, _ x: Float) -> Float {
        let t = min(max((x - low) / (high - low), 0), 1)
        return t * t * (3 - 2 * t)
    }

    /// `a` at 0, `b` at 1.
    static func mix(_ a: Float, _ b: Float, _ t: Float) -> Float { a + (b - a) * t }
}
