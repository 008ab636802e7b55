import GraftGraph
import GraftModel
import GraftSystem

/// Makes an ONNX model of the operations of a graph: whatever layers lower to them.
///
/// Activations are NHWC in Graft and NCHW in ONNX's convolutions. A value of four axes is known in one order or in both; it is
/// transposed where somebody needs the other one, once, and what works on single numbers keeps the order of its operands. So a
/// network of convolutions has one transposition at its beginning. What depends on no input is computed here and written as
/// numbers: kernels with their batch normalization, for instance.
struct ONNXExporter {
    var model: ONNXModel
    /// For one batch size and another: a size that differs is the batch's.
    let graph: Graph
    private let shapes: [[Size]]
    private let variables: [Variable]
    /// Whether a value follows from an input.
    private let varies: [Bool]
    private var values: [ValueID: Value] = [:]
    private var names: Set<String> = []

    /// The size of an axis: a number, or so many times the batch.
    enum Size: Hashable {
        case fixed(Int)
        case batch(Int)
    }

    /// A value's names in the file.
    private struct Value {
        var plain: String?
        /// With the channels as the second of four axes.
        var channelsFirst: String?
    }

    /// The axes of NHWC in the order of NCHW.
    static let toChannelsFirst = [0, 3, 1, 2]
    private static let toChannelsLast = [0, 2, 3, 1]
    private static let batchSizes = (7, 11)

    /// - Throws: `GraftError` with code `format` for an operation that ONNX has not, named with its layer.
    init(_ model: Model) throws(GraftError) {
        let (lowered, other) = (
            try model.lower(batchSize: Self.batchSizes.0, training: false),
            try model.lower(batchSize: Self.batchSizes.1, training: false)
        )
        graph = try Self.prepared(lowered)
        let otherGraph = try Self.prepared(other)
        guard graph.nodes.count == otherGraph.nodes.count else {
            throw GraftError(
                .format, "the model \(model.name) is another one for another batch size, which ONNX has not")
        }
        shapes = zip(graph.nodes, otherGraph.nodes).map { one, other in
            zip(one.shape.dimensions, other.shape.dimensions).map(Self.size)
        }
        variables = lowered.variables
        varies = Self.varying(graph)
        self.model = ONNXModel(name: model.name)
        for node in graph.nodes.indices where varies[node] {
            let id = ValueID(index: node)
            if case .leaf(.input(let name, _)) = graph.nodes[node].operation {
                names.insert(name)
                let kind: ONNXValue.Kind = graph.nodes[node].elementType == .int32 ? .int32 : .float32
                self.model.inputs.append(ONNXValue(name: name, kind: kind, dimensions: dimensions(of: id)))
                values[id] = Value(plain: name)
            } else {
                try add(id)
            }
        }
        // The model's order, which pruning need not keep.
        let order = Dictionary(lowered.inputNames.enumerated().map { ($1, $0) }) { first, _ in first }
        self.model.inputs.sort { order[$0.name, default: 0] < order[$1.name, default: 0] }
        for (output, tensor) in zip(graph.outputs, model.outputs) { try addOutput(output, named: tensor.layer.name) }
    }

    private static func prepared(_ lowered: LoweredModel) throws(GraftError) -> Graph {
        var graph = lowered.graph
        graph.updates = []
        return try graph.pruned().foldingNormalization().fusingEpilogues().pruned()
    }

    private static func size(_ one: Int, _ other: Int) -> Size {
        let (first, second) = batchSizes
        let isBatch = one != other && one % first == 0 && one / first * second == other
        return isBatch ? .batch(one / first) : .fixed(one)
    }

    private static func varying(_ graph: Graph) -> [Bool] {
        var varies = [Bool](repeating: false, count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            if case .leaf(.input) = node.operation {
                varies[index] = true
            } else {
                varies[index] = node.operands.contains { varies[$0.index] }
            }
        }
        return varies
    }

    // MARK: Names

    /// The sizes of a value, `nil` for the batch's.
    func dimensions(of id: ValueID) -> [Int?] {
        sizes(of: id).map { if case .fixed(let size) = $0 { size } else { nil } }
    }

    func sizes(of id: ValueID) -> [Size] { shapes[id.index] }

    /// A name that no other value has.
    mutating func name(_ wish: String) -> String {
        var (name, number) = (wish.isEmpty ? "value" : wish, 1)
        while !names.insert(name).inserted {
            number += 1
            name = "\(wish)_\(number)"
        }
        return name
    }

    /// Adds an operator; returns the name of its result.
    mutating func node(
        _ type: String, _ inputs: [String], label: String,
        _ attributes: [(name: String, value: ONNXNode.Attribute)] = []
    ) -> String {
        let output = name(label.isEmpty ? type : "\(label)/\(type)")
        model.nodes.append(ONNXNode(type: type, inputs: inputs, output: output, attributes: attributes))
        return output
    }

    /// Adds whole numbers.
    mutating func integers(_ numbers: [Int], label: String, _ what: String) -> String {
        let name = name("\(label)/\(what)")
        model.initializers.append(ONNXArray(name: name, dimensions: [numbers.count], numbers: .integers(numbers)))
        return name
    }

    /// Adds numbers.
    mutating func floats(_ numbers: [Float], _ dimensions: [Int], label: String, _ what: String) -> String {
        let name = name("\(label)/\(what)")
        model.initializers.append(ONNXArray(name: name, dimensions: dimensions, numbers: .floats(numbers)))
        return name
    }

    // MARK: Values

    /// Whether a value is computed here.
    func isConstant(_ id: ValueID) -> Bool { !varies[id.index] }

    /// The numbers of a value that depends on no input.
    func constant(_ id: ValueID) throws(GraftError) -> Tensor {
        let node = graph[id]
        switch node.operation {
        case .leaf(.variable(let variable, _)): return variables[variable.rawValue].value
        case .leaf(.constant(let tensor)): return tensor
        default: return try reference(id).tensor
        }
    }

    private func reference(_ id: ValueID) throws(GraftError) -> ReferenceArray {
        let node = graph[id]
        if node.operation.isLeaf { return try ReferenceArray(constant(id)) }
        var operands: [ReferenceArray] = []
        for operand in node.operands { try operands.append(reference(operand)) }
        return node.operation.rule.reference(operands, result: node.shape)
    }

    /// The name of a value in Graft's order of axes.
    mutating func plain(_ id: ValueID, label: String) throws(GraftError) -> String {
        if let known = values[id]?.plain { return known }
        let name: String
        if isConstant(id) {
            let tensor = try constant(id)
            name = floats(
                tensor.scalars, tensor.shape.dimensions, label: graph[id].label.isEmpty ? label : graph[id].label,
                "constant")
        } else if let other = values[id]?.channelsFirst {
            name = node("Transpose", [other], label: graph[id].label, [("perm", .ints(Self.toChannelsLast))])
        } else {
            throw GraftError(.state, "the value \(id.index) is used before it is there")
        }
        values[id, default: Value()].plain = name
        return name
    }

    /// The name of a value of four axes with the channels second.
    mutating func channelsFirst(_ id: ValueID, label: String) throws(GraftError) -> String {
        if let known = values[id]?.channelsFirst { return known }
        let name: String
        if isConstant(id) {
            let tensor = try constant(id)
            name = floats(
                tensor.scalars(permutedBy: Self.toChannelsFirst), Self.toChannelsFirst.map { tensor.shape[$0] },
                label: label, "constant")
        } else {
            name = try node(
                "Transpose", [plain(id, label: label)], label: graph[id].label, [("perm", .ints(Self.toChannelsFirst))])
        }
        values[id, default: Value()].channelsFirst = name
        return name
    }

    /// Whether a value is known with its channels second and not otherwise.
    func isChannelsFirst(_ id: ValueID) -> Bool {
        values[id].map { $0.plain == nil && $0.channelsFirst != nil } ?? false
    }

    mutating func setPlain(_ id: ValueID, _ name: String) { values[id, default: Value()].plain = name }

    mutating func setChannelsFirst(_ id: ValueID, _ name: String) { values[id, default: Value()].channelsFirst = name }

    /// A result bears its layer's name.
    private mutating func addOutput(_ id: ValueID, named wish: String) throws(GraftError) {
        let (source, name) = (try plain(id, label: wish), name(wish))
        model.nodes.append(ONNXNode(type: "Identity", inputs: [source], output: name))
        model.outputs.append(ONNXValue(name: name, dimensions: dimensions(of: id)))
    }
}

extension Tensor {
    /// The numbers with the axes in another order: axis i of the result is axis `axes[i]`.
    func scalars(permutedBy axes: [Int]) -> [Float] {
        let (sizes, strides) = (axes.map { shape[$0] }, axes.map { shape.strides[$0] })
        let source = scalars
        var result: [Float] = []
        result.reserveCapacity(source.count)
        var place = [Int](repeating: 0, count: axes.count)
        var offset = 0
        while result.count < source.count {
            result.append(source[offset])
            for axis in axes.indices.reversed() {
                place[axis] += 1
                offset += strides[axis]
                if place[axis] < sizes[axis] { break }
                offset -= sizes[axis] * strides[axis]
                place[axis] = 0
            }
        }
        return result
    }
}
