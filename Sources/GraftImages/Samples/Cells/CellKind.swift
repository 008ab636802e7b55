/// The five kinds of white cells in blood that a differential count tells apart: by the shape of the nucleus, by its
/// chromatin and by the granules around it.
enum CellKind: Int, CaseIterable {
    case basophil, eosinophil, lymphocyte, monocyte, neutrophil

    var name: String {
        switch self {
        case .basophil: "basophil"
        case .eosinophil: "eosinophil"
        case .lymphocyte: "lymphocyte"
        case .monocyte: "monocyte"
        case .neutrophil: "neutrophil"
        }
    }

    /// A cell of this kind; no two are the same.
    func form(_ numbers: inout RandomNumbers) -> CellForm {
        switch self {
        case .basophil: .basophil(&numbers)
        case .eosinophil: .eosinophil(&numbers)
        case .lymphocyte: .lymphocyte(&numbers)
        case .monocyte: .monocyte(&numbers)
        case .neutrophil: .neutrophil(&numbers)
        }
    }
}

/// What a white cell is made of, in units of its own around the origin.
struct CellForm {
    /// Figures that make up the nucleus together.
    var nucleus: [Outline]
    /// How dark the nucleus is, 1 as a rule.
    var density: Float = 1
    /// The area of the cell over that of its nucleus.
    var bodyRatio: Float
    /// How far the cell's edge departs from a circle.
    var bodyRoughness: Float = 0.05
    /// The width of the clumps of chromatin over the radius of the cell, and how much they differ from one another.
    var chromatin: (size: Float, contrast: Float)
    var granules: Granules?
    /// How many bubbles there are besides the nucleus.
    var vacuoleCount = 0

    /// Grains in the cell.
    struct Granules {
        /// The radius over that of the cell.
        var radius: Float
        /// How many there would be if the whole cell were filled with them.
        var count: Int
        var density: Float
        /// Whether they lie on the nucleus too.
        var coverNucleus: Bool
        /// How much they differ in size.
        var variation: Float
    }
}

extension CellForm {
    /// A large round nucleus with coarse clumps, and a narrow seam around it.
    static func lymphocyte(_ numbers: inout RandomNumbers) -> CellForm {
        let radii = Point(1, numbers.between(0.84, 1))
        let nucleus = Outline(blobAt: .zero, radii: radii, roughness: 0.045, corners: 36, &numbers)
        return CellForm(
            nucleus: [nucleus], density: numbers.between(0.9, 1.05), bodyRatio: numbers.between(1.25, 1.65),
            chromatin: (numbers.between(0.3, 0.42), numbers.between(0.5, 0.8)))
    }

    /// A nucleus like a kidney or a horseshoe with fine, loose chromatin; bubbles in an uneven body.
    static func monocyte(_ numbers: inout RandomNumbers) -> CellForm {
        let span = numbers.between(0.26, 0.52)
        let thickness = numbers.between(0.5, 0.62)
        let discs = (0...12).map { step in
            let turns = span * (Float(step) / 12 - 0.5)
            let radius = thickness * numbers.between(0.93, 1.07)
            let centre = Arithmetic.direction(turns: turns) * 0.82 - Point(0.5, 0)
            return Outline(blobAt: centre, radii: Point(repeating: radius), roughness: 0.03, &numbers)
        }
        return CellForm(
            nucleus: discs, density: numbers.between(0.82, 1), bodyRatio: numbers.between(1.9, 2.5),
            bodyRoughness: 0.11,
            chromatin: (numbers.between(0.1, 0.16), numbers.between(0.35, 0.6)), vacuoleCount: numbers.whole(0, 6))
    }

    /// Three to five lobes in a row that threads hold together, in fine dust.
    static func neutrophil(_ numbers: inout RandomNumbers) -> CellForm {
        let nucleus = lobes(
            count: numbers.whole(3, 5), radius: (0.31, 0.42), gap: (0.86, 1.12), bend: (0.15, 0.27), &numbers)
        return CellForm(
            nucleus: nucleus, density: numbers.between(0.95, 1.1), bodyRatio: numbers.between(2.3, 3),
            chromatin: (numbers.between(0.18, 0.28), numbers.between(0.3, 0.6)),
            granules: Granules(radius: 0.028, count: 420, density: 0.16, coverNucleus: false, variation: 0.3))
    }

    /// Two lobes among coarse round grains of one size that fill the cell.
    static func eosinophil(_ numbers: inout RandomNumbers) -> CellForm {
        let count = numbers.chance(0.85) ? 2 : 3
        let nucleus = lobes(count: count, radius: (0.42, 0.52), gap: (0.92, 1.1), bend: (0.06, 0.2), &numbers)
        return CellForm(
            nucleus: nucleus, density: numbers.between(0.85, 1), bodyRatio: numbers.between(2.3, 3),
            chromatin: (numbers.between(0.2, 0.3), numbers.between(0.3, 0.6)),
            granules: Granules(
                radius: numbers.between(0.065, 0.08), count: numbers.whole(150, 190),
                density: numbers.between(0.35, 0.5),
                coverNucleus: false, variation: 0.08))
    }

    /// A pale bent nucleus below large dark grains of all sizes that lie unevenly over all of the cell.
    static func basophil(_ numbers: inout RandomNumbers) -> CellForm {
        let nucleus = lobes(
            count: numbers.whole(2, 3), radius: (0.46, 0.58), gap: (0.6, 0.75), bend: (0.08, 0.24), &numbers)
        return CellForm(
            nucleus: nucleus, density: numbers.between(0.5, 0.62), bodyRatio: numbers.between(1.9, 2.4),
            bodyRoughness: 0.07, chromatin: (numbers.between(0.3, 0.4), 0.2),
            granules: Granules(
                radius: numbers.between(0.085, 0.11), count: numbers.whole(34, 52),
                density: numbers.between(0.85, 1.15),
                coverNucleus: true, variation: 0.35))
    }

    /// Round lobes along a line that bends, with threads between them.
    ///
    /// - Parameters:
    ///   - gap: the way from one to the next, over the sum of their radii.
    ///   - bend: turns from one stretch to the next.
    private static func lobes(
        count: Int, radius: (Float, Float), gap: (Float, Float), bend: (Float, Float), _ numbers: inout RandomNumbers
    ) -> [Outline] {
        var turns = numbers.uniform()
        let side: Float = numbers.chance(0.75) ? 1 : -1
        var centres = [Point.zero]
        var radii = [numbers.between(radius.0, radius.1)]
        for number in 1..<count {
            radii.append(numbers.between(radius.0, radius.1))
            let way = (radii[number - 1] + radii[number]) * numbers.between(gap.0, gap.1)
            centres.append(centres[number - 1] + Arithmetic.direction(turns: turns) * way)
            turns += numbers.between(bend.0, bend.1) * (number == 2 ? side : 1)
        }
        let middle = centres.reduce(Point.zero, +) / Float(count)
        var outlines = zip(centres, radii).map { centre, radius in
            Outline(
                blobAt: centre - middle, radii: Point(radius, radius * numbers.between(0.76, 1)),
                turns: numbers.uniform(),
                roughness: 0.09, corners: 28, &numbers)
        }
        for (from, to) in zip(centres, centres.dropFirst()) {
            let width = radius.0 * numbers.between(0.2, 0.4)
            outlines.append(Outline(strokeAlong: [from - middle, to - middle], from: width, to: width))
        }
        return outlines
    }
}
