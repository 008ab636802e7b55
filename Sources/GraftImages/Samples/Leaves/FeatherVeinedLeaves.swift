/// Leaves with one main vein and side veins like a feather's: birch and willow with teeth, oak with round lobes.
extension Leaf {
    /// Silver birch (*Betula pendula*): a triangle with round corners and a long tip, with teeth on teeth.
    static func birch(_ numbers: inout RandomNumbers) -> Leaf {
        let width = numbers.between(0.36, 0.45)
        let tip = numbers.between(0.028, 0.05)
        let widest = numbers.between(0.24, 0.34)
        let profile = [
            Point(0, 0), Point(0.45 * width, 0.03), Point(0.86 * width, 0.13), Point(width, widest),
            Point(0.7 * width, 0.55), Point(0.32 * width, 0.77), Point(tip, 0.9), Point(0.012, 0.96), Point(0, 1),
        ]
        let veinCount = numbers.whole(6, 8)
        let teeth = Teeth(count: veinCount + 2, height: numbers.between(0.034, 0.05), finer: numbers.whole(3, 4))
        let edge = FeatherEdge(profile: profile, teeth: teeth, numbers: &numbers)
        return Leaf(
            outline: edge.outline,
            veins: edge.veins(count: veinCount, rise: numbers.between(0.24, 0.32), width: 0.017, &numbers),
            stem: stem(length: numbers.between(0.25, 0.45), bend: numbers.between(-0.4, 0.4)))
    }

    /// White willow (*Salix alba*): long and narrow, pointed at both ends, with fine teeth.
    static func willow(_ numbers: inout RandomNumbers) -> Leaf {
        let width = numbers.between(0.125, 0.155)
        let widest = numbers.between(0.34, 0.48)
        let profile = [
            Point(0, 0), Point(0.5 * width, 0.08), Point(0.9 * width, 0.22), Point(width, widest),
            Point(0.82 * width, 0.64), Point(0.46 * width, 0.82), Point(0.17 * width, 0.94), Point(0, 1),
        ]
        let teeth = Teeth(count: numbers.whole(22, 30), height: numbers.between(0.005, 0.01), finer: 1)
        let edge = FeatherEdge(profile: profile, teeth: teeth, numbers: &numbers)
        let veins = edge.veins(
            count: numbers.whole(11, 15), rise: numbers.between(0.1, 0.15), width: 0.011, &numbers)
        let leaf = Leaf(
            outline: edge.outline, veins: veins,
            stem: stem(length: numbers.between(0.06, 0.1), bend: numbers.between(-0.4, 0.4)))
        // Like a sickle, more or less.
        let bend = numbers.between(-0.3, 0.3)
        return leaf.mapped { Point($0.x + bend * ($0.y * $0.y + $0.y), $0.y) }
    }

    /// English oak (*Quercus robur*): round lobes on both sides, widest above the middle, ears at the short stem.
    static func oak(_ numbers: inout RandomNumbers) -> Leaf {
        let right = OakSide(&numbers)
        let left = OakSide(lobeCount: right.lobes.count, &numbers)
        var points = [Point(0, 0.01)] + right.edge
        points.append(Point(numbers.between(-0.015, 0.015), -1.005))
        points += left.edge.reversed().map { Point(-$0.x, $0.y) }
        var veins = [Vein(path: Curve.bow(from: .zero, towards: Point(0, -0.5), to: Point(0, -0.96)), width: 0.024)]
        for (side, sign) in [(right, Float(1)), (left, -1)] {
            veins += side.lobes.map { lobe in
                let path = Curve.bow(
                    from: lobe.origin, towards: lobe.origin + (lobe.tip - lobe.origin) * 0.5 + Point(0.01, 0.02),
                    to: lobe.origin + (lobe.tip - lobe.origin) * 0.93)
                return Vein(path: path.map { Point($0.x * sign, $0.y) }, width: 0.014)
            }
        }
        return Leaf(
            outline: Outline(smoothly: points), veins: veins,
            stem: stem(length: numbers.between(0.08, 0.16), bend: numbers.between(-0.4, 0.4)))
    }
}

/// One side of an oak's leaf, to the right of the main vein.
private struct OakSide {
    struct Lobe {
        /// Where its vein leaves the main vein.
        var origin: Point
        var tip: Point
        var halfWidth: Float
    }

    private(set) var lobes: [Lobe] = []
    /// The edge from the stem to below the tip.
    private(set) var edge: [Point] = []

    init(lobeCount: Int? = nil, _ numbers: inout RandomNumbers) {
        let count = lobeCount ?? numbers.whole(3, 5)
        let depth = numbers.between(0.4, 0.62)
        for number in 0..<count { lobes.append(Self.lobe(number, of: count, &numbers)) }
        // The ear at the stem.
        edge = [Point(0.035, 0.012), Point(0.07, -0.012), Point(0.05, -0.055)]
        for (number, lobe) in lobes.enumerated() {
            let way = lobe.tip - lobe.origin
            let across = way.unit.turned * lobe.halfWidth
            let shoulder = lobe.origin + way * 0.8
            edge += [
                shoulder + across, lobe.tip + across * 0.62 - way * 0.03, lobe.tip - across * 0.45 - way * 0.02,
                shoulder - across * 0.95,
            ]
            // The bay above it, on the way from this lobe's middle to the next one's.
            let next =
                number + 1 < count ? lobes[number + 1] : Lobe(origin: Point(0, -0.8), tip: Point(0.1, -1), halfWidth: 0)
            let root = (lobe.origin + next.origin) / 2
            edge.append(root + ((lobe.tip + next.tip) / 2 - root) * (1 - depth))
        }
        edge += [Point(0.105, -0.915), Point(0.085, -0.975)]
    }

    private static func lobe(_ number: Int, of count: Int, _ numbers: inout RandomNumbers) -> Lobe {
        let share = (Float(number) + 0.5) / Float(count)
        let height = 0.09 + 0.68 * (share + numbers.between(-0.03, 0.03))
        // Widest above the middle.
        let distance = share - 0.62
        let length = (0.34 - (distance < 0 ? 0.55 : 0.9) * distance * distance) * numbers.between(0.92, 1.08)
        let tip = Point(length, -height - length * numbers.between(0.4, 0.6))
        let halfWidth = 0.27 / Float(count) * numbers.between(0.85, 1.05)
        return Lobe(origin: Point(0, -height + 0.02), tip: tip, halfWidth: halfWidth)
    }
}

/// Teeth along an edge, all pointing to the tip.
private struct Teeth {
    /// On one side.
    var count: Int
    var height: Float
    /// How many teeth each tooth has; 1 for plain ones.
    var finer: Int

    /// How far the edge protrudes at a share of its length: it rises slowly and falls at once.
    func height(at share: Float) -> Float {
        let large = share * Float(count)
        let small = large * Float(finer)
        let fine = small - small.rounded(.down)
        guard finer > 1 else { return height * fine }
        return height * (0.65 * (large - large.rounded(.down)) + 0.35 * fine)
    }
}

/// The edge of a leaf with one main vein, from the profile of a half.
private struct FeatherEdge {
    private let curve: [Point]
    let outline: Outline

    /// - Parameter profile: half widths at heights from 0, the stem, to 1, the tip.
    init(profile: [Point], teeth: Teeth, numbers: inout RandomNumbers) {
        curve = Curve.through(profile, steps: 12)
        var right = Self.side(curve, teeth, &numbers)
        let left = Self.side(curve, teeth, &numbers)
        right += left.reversed().map { Point(-$0.x, $0.y) }
        outline = Outline(right)
    }

    /// One side with its teeth, sampled where they begin, rise and end.
    private static func side(_ curve: [Point], _ teeth: Teeth, _ numbers: inout RandomNumbers) -> [Point] {
        let samples = teeth.count * teeth.finer * 4
        let wide = numbers.between(0.94, 1.06)
        return (0...samples).map { sample in
            let share = Float(sample) / Float(samples)
            // Just before a tooth ends, so that its edge is steep.
            let place = sample % 4 == 3 ? share + 0.9 / Float(samples) : share
            let position = min(place, 0.9999) * Float(curve.count - 1)
            let index = Int(position)
            let (from, to) = (curve[index], curve[min(index + 1, curve.count - 1)])
            let point = from + (to - from) * (position - Float(index))
            let outwards = Point((to - from).unit.y, -(to - from).unit.x)
            let fade = min(1, min(place * 12, (1 - place) * 5))
            let out = point + (outwards + Point(0, 0.5)) * (teeth.height(at: place) * fade)
            return Point(out.x * wide, -out.y)
        }
    }

    /// The main vein and `count` veins on each side that rise by `rise` on their way to the edge.
    func veins(count: Int, rise: Float, width: Float, _ numbers: inout RandomNumbers) -> [Leaf.Vein] {
        var veins = [
            Leaf.Vein(
                path: Curve.bow(from: .zero, towards: Point(0, -0.5), to: Point(0, -0.97)), width: width * 1.6)
        ]
        for number in 0..<count {
            for sign in [Float(1), -1] {
                let start = 0.05 + 0.78 * (Float(number) + numbers.between(0.1, 0.4)) / Float(count)
                let end = min(start + rise * (1 - 0.4 * start), 0.98)
                let reach = halfWidth(at: end) * 0.95
                let path = Curve.bow(
                    from: Point(0, -start), towards: Point(sign * reach * 0.6, -(start + (end - start) * 0.45)),
                    to: Point(sign * reach, -end), steps: 4)
                veins.append(Leaf.Vein(path: path, width: width * 0.75))
            }
        }
        return veins
    }

    private func halfWidth(at height: Float) -> Float {
        for (from, to) in zip(curve, curve.dropFirst()) where from.y <= height && height < to.y {
            return from.x + (to.x - from.x) * (height - from.y) / (to.y - from.y)
        }
        return 0
    }
}
