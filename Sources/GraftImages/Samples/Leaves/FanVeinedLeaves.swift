/// Leaves whose main veins all begin at the stem: maple with a hand's five, ginkgo with many that fork.
extension Leaf {
    /// Norway maple (*Acer platanoides*): five pointed lobes with few, long teeth.
    static func maple(_ numbers: inout RandomNumbers) -> Leaf {
        let spread = numbers.between(0.92, 1.06)
        let slim = numbers.between(0.85, 1.12)
        // From the lowest lobe on the right, over the tip, to the lowest on the left: direction, length, width.
        let forms: [(turns: Float, length: Float, width: Float)] = [
            (0.265, 0.56, 0.1), (0.127, 0.86, 0.165), (0, 1, 0.205), (-0.127, 0.86, 0.165), (-0.265, 0.56, 0.1),
        ]
        let lobes = forms.map { form in
            MapleLobe(
                turns: form.turns * spread + numbers.between(-0.008, 0.008),
                length: form.length * numbers.between(0.94, 1.06),
                halfWidth: form.width * slim * numbers.between(0.93, 1.07), teeth: form.width < 0.12 ? 1 : 2)
        }
        let depth = numbers.between(0.36, 0.46)
        var corners = [Point(0.012, 0.0)]
        for (number, lobe) in lobes.enumerated() {
            corners += lobe.corners
            guard number + 1 < lobes.count else { continue }
            let next = lobes[number + 1]
            let reach = depth * (number == 0 || number == 3 ? 0.86 : 1.04) * numbers.between(0.94, 1.06)
            corners.append(Arithmetic.heading(turns: (lobe.turns + next.turns) / 2) * reach)
        }
        corners.append(Point(-0.012, 0))
        let veins = lobes.flatMap(\.veins).sorted { $0.width > $1.width }
        return Leaf(
            outline: hollowEdges(corners, depth: numbers.between(0.07, 0.13)), veins: veins,
            stem: stem(length: numbers.between(0.5, 0.8), bend: numbers.between(-0.5, 0.5)))
    }

    /// Edges that are drawn in a little between sharp corners.
    private static func hollowEdges(_ corners: [Point], depth: Float) -> Outline {
        var points: [Point] = []
        for (number, corner) in corners.enumerated() {
            let next = corners[(number + 1) % corners.count]
            let middle = (corner + next) / 2
            let inwards = (Point(0, -0.35) - middle).unit * ((next - corner).length * depth)
            points += Curve.bow(from: corner, towards: middle + inwards, to: next, steps: 4).dropLast()
        }
        return Outline(points)
    }

    /// Ginkgo (*Ginkgo biloba*): a fan with a wavy edge and a notch.
    static func ginkgo(_ numbers: inout RandomNumbers) -> Leaf {
        let half = numbers.between(0.16, 0.215)  // turns from the middle to a corner
        let edge = GinkgoEdge(&numbers)
        let steps = 72
        // The sides are hollow: the fan opens as it goes outwards.
        let side = (1..<8).map { step in
            let share = Float(step) / 8
            return Arithmetic.heading(turns: half * share.squareRoot()) * (share * edge.radius(at: 1) * 0.94)
        }
        let rim = (0...steps).map { step in
            let share = 1 - 2 * Float(step) / Float(steps)
            return Arithmetic.heading(turns: half * share) * edge.radius(at: share)
        }
        let points = [Point(0.012, 0)] + side + rim + side.reversed().map { Point(-$0.x, $0.y) } + [Point(-0.012, 0)]
        return Leaf(
            outline: Outline(points), veins: forkingVeins(half: half, edge: edge, &numbers),
            stem: stem(length: numbers.between(0.5, 0.8), bend: numbers.between(-0.5, 0.5)))
    }

    private static func forkingVeins(half: Float, edge: GinkgoEdge, _ numbers: inout RandomNumbers) -> [Vein] {
        let count = numbers.whole(11, 14)
        return (0..<count).flatMap { number -> [Vein] in
            let share = 1.9 * (Float(number) + 0.5) / Float(count) - 0.95
            let fork = numbers.between(0.3, 0.6)
            let bend = 0.95 / Float(count)
            func place(_ share: Float, _ radius: Float) -> Point {
                Arithmetic.heading(turns: half * share * min(1, radius * 1.4).squareRoot()) * radius
            }
            let stem = (0...4).map { place(share, fork * (0.03 + Float($0) * 0.2425)) }
            let branches = [-bend, bend].map { turn in
                let end = edge.radius(at: share + turn) * 0.97
                return (0...4).map { step in
                    let way = Float(step) / 4
                    return place(share + turn * min(1, way * 1.6), Arithmetic.mix(fork, end, way))
                }
            }
            return [Vein(path: stem, width: 0.013)] + branches.map { Vein(path: $0, width: 0.011) }
        }
    }
}

/// A lobe of a maple's leaf, which begins at the stem.
private struct MapleLobe {
    /// The direction from straight up, positive to the right.
    var turns: Float
    var length: Float
    var halfWidth: Float
    /// On each side.
    var teeth: Int

    private func place(_ along: Float, _ across: Float) -> Point {
        let axis = Arithmetic.heading(turns: turns)
        return axis * (along * length) + axis.turned * (across * halfWidth)
    }

    /// From its right side over its tip to its left side: teeth and the notches above them.
    var corners: [Point] {
        let rightSide: [Point] =
            teeth == 1
            ? [place(0.66, 1.1), place(0.72, 0.5)]
            : [place(0.62, 1.2), place(0.68, 0.62), place(0.84, 0.66), place(0.85, 0.27)]
        let leftSide: [Point] =
            teeth == 1
            ? [place(0.72, -0.5), place(0.66, -1.1)]
            : [place(0.85, -0.27), place(0.84, -0.66), place(0.68, -0.62), place(0.62, -1.2)]
        return rightSide + [place(1, 0)] + leftSide
    }

    /// The vein along its middle, and one to each large tooth.
    var veins: [Leaf.Vein] {
        let main = Leaf.Vein(path: [.zero, place(0.5, 0), place(0.97, 0)], width: 0.024 * (0.5 + length / 2))
        let sides = [Float(1), -1].map { sign in
            Leaf.Vein(
                path: Curve.bow(
                    from: place(0.4, 0), towards: place(0.5, 0.4 * sign), to: place(0.61, 0.98 * sign), steps: 3),
                width: 0.012)
        }
        return [main] + sides
    }
}

/// The outer edge of a ginkgo's leaf, from −1 at one corner to 1 at the other.
private struct GinkgoEdge {
    private let notchDepth: Float
    private let notchPlace: Float
    private let notchWidth: Float
    private let waves: [(count: Float, phase: Float, height: Float)]
    private let droop: Float

    init(_ numbers: inout RandomNumbers) {
        notchDepth = numbers.between(0.22, 0.58)
        notchPlace = numbers.between(-0.07, 0.07)
        notchWidth = numbers.between(0.06, 0.13)
        waves = [
            (numbers.between(1.6, 2.6), numbers.uniform(), numbers.between(0.012, 0.03)),
            (numbers.between(4, 6), numbers.uniform(), numbers.between(0.008, 0.018)),
            (numbers.between(9, 13), numbers.uniform(), numbers.between(0.004, 0.01)),
        ]
        droop = numbers.between(0.04, 0.16)
    }

    func radius(at share: Float) -> Float {
        let wave = waves.reduce(Float(0)) { $0 + $1.height * Arithmetic.sine(turns: $1.count * share + $1.phase) }
        let distance = abs(share - notchPlace) / notchWidth
        let notch = notchDepth * Arithmetic.decay(distance * 1.7) * (1 - Arithmetic.smoothStep(2, 3, distance))
        return 1 + wave - notch - droop * share * share
    }
}
