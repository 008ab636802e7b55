/// A leaf in its own units: the stem joins the blade at the origin, the tip points to −y, so up, and the blade is about
/// one unit long.
struct Leaf {
    /// The edge of the blade.
    var outline: Outline
    /// The veins from the thickest to the thinnest: paths with their width where they begin.
    var veins: [Vein]
    /// The stem, from the blade outwards.
    var stem: [Point]

    /// A vein, which is thinner towards its end.
    struct Vein {
        var path: [Point]
        var width: Float
    }

    /// The same leaf in other places.
    func mapped(_ transform: (Point) -> Point) -> Leaf {
        Leaf(
            outline: outline.mapped(transform),
            veins: veins.map { Vein(path: $0.path.map(transform), width: $0.width) },
            stem: stem.map(transform))
    }
}

/// The five kinds, told apart by the outline of the blade and by its veins.
enum LeafKind: Int, CaseIterable {
    case birch, ginkgo, maple, oak, willow

    var name: String {
        switch self {
        case .birch: "birch"
        case .ginkgo: "ginkgo"
        case .maple: "maple"
        case .oak: "oak"
        case .willow: "willow"
        }
    }

    /// A leaf of this kind; no two are the same.
    func leaf(_ numbers: inout RandomNumbers) -> Leaf {
        switch self {
        case .birch: .birch(&numbers)
        case .ginkgo: .ginkgo(&numbers)
        case .maple: .maple(&numbers)
        case .oak: .oak(&numbers)
        case .willow: .willow(&numbers)
        }
    }
}

extension Leaf {
    /// A path from the origin downwards that bends to one side.
    static func stem(length: Float, bend: Float) -> [Point] {
        Curve.bow(from: Point(0, -0.01), towards: Point(0, length * 0.6), to: Point(bend * length, length))
    }
}
