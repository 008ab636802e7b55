import GraftTestSupport

@testable import GraftFormats

/// HDF5 files of weights, each small and made to cost much.
enum CraftedWeights: String, CaseIterable, Codable, Sendable {
    /// Trees of a group's members that lie over one another, each with tens of thousands of branches.
    case trees
    /// A group of many attributes that is looked at through many links.
    case attributes
    /// Continuations of a header that lie over one another.
    case continuations
    /// A list of layers in pieces, whose strings are one object of the heap, many times.
    case texts
    /// Names of members that are ends of one long name.
    case names
    /// Layers that are links to one array.
    case links
    /// A list that names one layer many times.
    case repetitions
    /// Messages of nothing, as many as there is room for.
    case messages
    /// Two arrays that share bytes.
    case sharedBytes

    /// What is said of it, behind the file's name.
    var message: String {
        switch self {
        case .trees, .continuations: " overlaps with another part of the file"
        case .attributes:
            " holds 0 layers with weights, this model has 500; check that both are with, or both without, the top"
        case .texts: "it places a string of 16000 bytes at byte "
        case .names: ": two members of a group share their names' bytes"
        case .links:
            ": \"layers/dense_1/vars/0\" is a second link to the array \"layers/dense/vars/0\"; Graft reads an array by one name"
        case .repetitions: ": its list of layers has \"layer\" twice"
        case .messages: " is hostile: it describes more than "
        case .sharedBytes: ": the array layers/dense_1/vars/0 at byte 96 overlaps with another part of the file"
        }
    }

    /// The model that it is loaded into: its layers take a gigabyte, once they have values.
    static func model() throws -> Model {
        try Sequential((0..<500).map { _ in Dense(700, useBias: false) }, inputShape: [700])
    }

    /// The file.
    var bytes: [UInt8] {
        switch self {
        case .trees: Self.trees()
        case .attributes: Self.attributes()
        case .continuations: Self.continuations()
        case .texts: Self.texts()
        case .names: Self.names()
        case .links: Self.layers(sharing: { _, array in array })
        case .repetitions: Self.repetitions()
        case .messages: Self.messages()
        case .sharedBytes: Self.layers { file, _ in file.place(CraftedHDF5.floats([700, 700], at: 96)) }
        }
    }

    private static func trees() -> [UInt8] {
        var file = CraftedHDF5()
        let none = [UInt8](repeating: 0xFF, count: 16)
        let (start, stride, branches) = (file.end, 48, 30_000)
        var nodes: [UInt8] = []
        for index in 0..<40_000 {
            // Its first branch is the next node.
            nodes += Array("TREE".utf8) + [0, 0] + CraftedHDF5.number(branches, 2) + none
            nodes += CraftedHDF5.number(0) + CraftedHDF5.number(start + stride * (index + 1)) + CraftedHDF5.number(0)
        }
        let tree = file.place(nodes)
        let heap = place(heapOf: [0], in: &file)
        let table = CraftedHDF5.message(.symbolTable, CraftedHDF5.number(tree) + CraftedHDF5.number(heap))
        return file.file(root: CraftedHDF5.header([table]))
    }

    private static func attributes() -> [UInt8] {
        var file = CraftedHDF5()
        let many = (0..<50_000).map { CraftedHDF5.attribute("a\($0)", strings: ["x"]) }
        let empty = CraftedHDF5.attribute("weight_names", strings: [])
        let group = file.place(CraftedHDF5.header(many + [empty, CraftedHDF5.link("nothing", to: 96)]))
        let names = (0..<2_000).map { "layer\($0)" }
        let links = names.map { CraftedHDF5.link($0, to: group) }
        return file.file(root: CraftedHDF5.header([CraftedHDF5.attribute("layer_names", strings: names)] + links))
    }

    private static func continuations() -> [UInt8] {
        var file = CraftedHDF5()
        let (count, byteCount) = (999, 4 << 20)
        let start = file.end
        var region: [UInt8] = []
        for index in 0..<count {
            let next = start + 24 * (index + 1)
            let content = CraftedHDF5.number(next) + CraftedHDF5.number(start + byteCount - next)
            region += CraftedHDF5.message(.continuation, content)
        }
        _ = file.place(region + [UInt8](repeating: 0, count: byteCount - region.count))
        let first = CraftedHDF5.number(start) + CraftedHDF5.number(byteCount)
        return file.file(
            root: CraftedHDF5.header([CraftedHDF5.message(.continuation, first), CraftedHDF5.link("a", to: 96)]))
    }

    private static func texts() -> [UInt8] {
        var file = CraftedHDF5()
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 16_000)
        let collection = file.place(CraftedHDF5.collection([long]))
        let references = [(index: Int, length: Int)](repeating: (1, long.count), count: 4_000)
        let pieces = (0..<64).map {
            CraftedHDF5.attribute("layer_names\($0)", references: references, collection: collection)
        }
        return file.file(root: CraftedHDF5.header(pieces + [CraftedHDF5.link("a", to: 96)]))
    }

    private static func names() -> [UInt8] {
        var file = CraftedHDF5()
        let length = 1_000_000
        let heap = place(heapOf: [UInt8](repeating: UInt8(ascii: "a"), count: length - 1) + [0], in: &file)
        let entries = (0..<4_000).flatMap {
            CraftedHDF5.number($0) + CraftedHDF5.number(96) + [UInt8](repeating: 0, count: 24)
        }
        let node = file.place(Array("SNOD".utf8) + [1, 0] + CraftedHDF5.number(4_000, 2) + entries)
        let table = CraftedHDF5.message(.symbolTable, CraftedHDF5.number(node) + CraftedHDF5.number(heap))
        return file.file(root: CraftedHDF5.header([table]))
    }

    /// The heap of a group's names.
    private static func place(heapOf content: [UInt8], in file: inout CraftedHDF5) -> Int {
        let names = file.place(content)
        let sizes = CraftedHDF5.number(content.count) + CraftedHDF5.number(0) + CraftedHDF5.number(names)
        return file.place(Array("HEAP".utf8) + [0, 0, 0, 0] + sizes)
    }

    /// As Keras 3 places them: `layers/dense_7/vars/0`.
    private static func layers(sharing array: (inout CraftedHDF5, Int) -> Int) -> [UInt8] {
        var file = CraftedHDF5()
        // Packs to a fiftieth: to less, and an archive of it would be refused by itself.
        var random = SplitMix(seed: 1)
        let noise = (0..<40_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        _ = file.place(noise + [UInt8](repeating: 0, count: 4 * 700 * 700 - noise.count))
        let first = file.place(CraftedHDF5.floats([700, 700], at: 96))
        let links = (0..<500).map { index in
            let object = index == 0 ? first : array(&file, first)
            let variables = file.place(CraftedHDF5.header([CraftedHDF5.link("0", to: object)]))
            let layer = file.place(CraftedHDF5.header([CraftedHDF5.link("vars", to: variables)]))
            return CraftedHDF5.link(index == 0 ? "dense" : "dense_\(index)", to: layer)
        }
        let layers = file.place(CraftedHDF5.header(links))
        return file.file(root: CraftedHDF5.header([CraftedHDF5.link("layers", to: layers)]))
    }

    private static func repetitions() -> [UInt8] {
        var file = CraftedHDF5()
        _ = file.place([UInt8](repeating: 0, count: 4 * 700 * 700))
        let array = file.place(CraftedHDF5.floats([700, 700], at: 96))
        let group = file.place(
            CraftedHDF5.header([
                CraftedHDF5.link("kernel", to: array), CraftedHDF5.attribute("weight_names", strings: ["kernel"]),
            ]))
        let names = [String](repeating: "layer", count: 500)
        return file.file(
            root: CraftedHDF5.header([
                CraftedHDF5.attribute("layer_names", strings: names), CraftedHDF5.link("layer", to: group),
            ]))
    }

    private static func messages() -> [UInt8] {
        var file = CraftedHDF5()
        let links = (0..<400_000).map { CraftedHDF5.link("\($0)", to: 96) }
        return file.file(root: CraftedHDF5.header(links))
    }
}
