import GraftModel

/// Makes a model of an ONNX graph: Keras's layers where there are such, functions of `keras.ops` elsewhere.
///
/// Activations are NHWC in Graft and NCHW in ONNX's convolutions. A value of four axes is kept with its channels last where it comes
/// from a convolution or an image; a transposition between the two orders is no work then, and none stands between convolutions.
/// What depends on no input, shapes first of all, is computed here.
///
/// A layer is named after the value that it gives, slashes and colons replaced (``Model/layerName(for:)``).
struct ONNXImporter {
    let content: ONNXContent
    /// How a value stands in memory.
    enum Layout: Equatable {
        /// As ONNX has it.
        case plain
        /// Four axes, the channels last, which are ONNX's second.
        case channelsLast
        /// One axis, in which ONNX has the channels first of all and the memory last: of so many rows, columns and channels.
        case flattened(Shape)
    }

    /// What a name stands for, where it depends on the inputs.
    struct Value {
        var tensor: SymbolicTensor
        var layout = Layout.plain

        /// Its sizes as ONNX has them, without the batch axis.
        var sizes: [Int] {
            let sizes = tensor.shape.dimensions
            return layout == .channelsLast ? [sizes[2], sizes[0], sizes[1]] : sizes
        }
        /// The number of its axes, with the batch axis.
        var rank: Int { tensor.shape.rank + 1 }
    }

    /// What a node's rule gives: values for its outputs, in order.
    typealias Rule = @Sendable (inout ONNXImporter, ONNXContent.Node) throws(GraftError) -> Void

    private(set) var values: [String: Value] = [:]
    private(set) var constants: [String: ONNXConstant]
    /// The names of layers, with the number of the next that is called so.
    private var names: [String: Int] = [:]
    private let outputNames: Set<String>
    /// How many nodes read a value.
    private(set) var readers: [String: Int] = [:]
    /// Nodes that an earlier one did the work of.
    var done: Set<Int> = []
    /// The number of the node at hand.
    private(set) var current = 0
    /// What constants may still cost.
    let budget: ONNXConstantBudget
    /// The batch's size, where the file has one.
    private(set) var declaredBatch: Int?

    /// The size of a batch in what is computed of shapes: a number that no axis has. Products of it are recognized.
    static let batch = 1 << 40

    /// The most inputs of a graph.
    private static let inputLimit = 256

    init(_ content: ONNXContent, sizes: InputShapes) throws(GraftError) {
        self.content = content
        constants = content.constants
        budget = ONNXConstantBudget(held: content.constants.values.reduce(0) { $0 + $1.count })
        outputNames = Set(content.outputs)
        for name in content.nodes.flatMap(\.inputs) + content.outputs { readers[name, default: 0] += 1 }
        guard content.inputs.count <= Self.inputLimit else {
            throw GraftError(.format, "it has \(content.inputs.count) inputs; at most \(Self.inputLimit) are read")
        }
        for input in content.inputs { try add(input, sizes) }
    }

    /// The model.
    ///
    /// - Throws: `GraftError` with code `format` for an operator that is not known, named with its node.
    mutating func model() throws(GraftError) -> Model {
        for index in try order() where !done.contains(index) {
            let node = content.nodes[index]
            current = index
            do throws(GraftError) { try add(node) } catch { throw error.inside(node.place) }
        }
        var outputs: [SymbolicTensor] = []
        for name in content.outputs { try outputs.append(plain(value(name), "output_\(name)").tensor) }
        let inputs = content.inputs.compactMap { values[$0.name]?.tensor }
        return try Model(inputs: inputs, outputs: outputs, name: Model.layerName(for: content.name))
    }

    /// The nodes, each after those whose results it reads.
    private func order() throws(GraftError) -> [Int] {
        var givers: [String: Int] = [:]
        for (index, node) in content.nodes.enumerated() {
            for name in node.outputs where !name.isEmpty {
                guard givers.updateValue(index, forKey: name) == nil, content.constants[name] == nil else {
                    throw GraftError(.format, "the value \(name.prefix(60)) is given twice")
                }
            }
        }
        var waiting = content.nodes.map { node in Set(node.inputs).count { givers[$0] != nil } }
        var next: [Int: [Int]] = [:]
        for (index, node) in content.nodes.enumerated() {
            for name in Set(node.inputs) { if let giver = givers[name] { next[giver, default: []].append(index) } }
        }
        // Files are in order; where one is not, what is ready comes in any.
        var result = waiting.indices.filter { waiting[$0] == 0 }
        var position = 0
        while position < result.count {
            for reader in next[result[position]] ?? [] {
                // A node counts a giver once for each of its values that it reads.
                waiting[reader] -= 1
                if waiting[reader] == 0 { result.append(reader) }
            }
            position += 1
        }
        guard result.count == content.nodes.count else {
            throw GraftError(.format, "some of its nodes read one another's results in a circle")
        }
        return result
    }

    private mutating func add(_ node: ONNXContent.Node) throws(GraftError) {
        guard ["", "ai.onnx"].contains(node.domain) else {
            throw GraftError(
                .format,
                "operators of \(node.domain.prefix(60)) are not known; export the model with ONNX's own operators alone"
            )
        }
        guard node.outputs.first?.isEmpty == false else { throw GraftError(.format, "it gives nothing") }
        let given = node.inputs.filter { !$0.isEmpty }
        if let missing = given.first(where: { values[$0] == nil && constants[$0] == nil }) {
            throw GraftError(.format, "it reads \(missing.prefix(60)), which nothing gives")
        }
        if node.type == "Shape" { return try addShape(node) }
        let isConstant = !given.isEmpty && given.allSatisfy { constants[$0] != nil }
        if node.type == "Constant" || isConstant { return try fold(node) }
        guard let rule = Self.rules[node.type] else {
            throw GraftError(
                .format,
                "the operator is not known to Graft; known are \(Self.rules.keys.sorted().joined(separator: ", ")). Export the "
                    + "model without it, or cut it before with onnx.utils.extract_model")
        }
        try rule(&self, node)
    }

    static let rules: [String: Rule] = convolutions.merging(elementwise) { first, _ in first }
        .merging(movements) { first, _ in first }.merging(reductions) { first, _ in first }

    // MARK: Inputs

    private mutating func add(_ input: ONNXContent.Input, _ settled: InputShapes) throws(GraftError) {
        guard [1, 6, 7, 10, 11, 16].contains(input.type), input.dimensions.count > 1 else {
            throw GraftError(
                .format,
                "its input \(input.name.prefix(60)) is no array of numbers with a batch axis (type \(input.type), "
                    + "\(input.dimensions.count) axes)")
        }
        declaredBatch = input.dimensions[0]
        let isImage = readsChannelsFirst(input)
        var order = Array(1..<input.dimensions.count)
        if isImage { order = [2, 3, 1] }
        let shape = try settled.settled(order.map { input.dimensions[$0] }, of: input.name)
        try shape.checkSize()
        let layer = InputLayer(
            shape: shape, dtype: [6, 7].contains(input.type) ? .int32 : .float32, name: unique(input.name))
        try layer.checkArguments()
        values[input.name] = Value(tensor: layer.tensor(), layout: isImage ? .channelsLast : .plain)
    }

    /// Whether an input is an image with its channels first: unless the file says otherwise, as Graft's own do, or
    /// its last axis looks like channels and its second does not.
    private func readsChannelsFirst(_ input: ONNXContent.Input) -> Bool {
        guard input.dimensions.count == 4, content.metadata[Model.layoutKey] != Model.channelsLast else { return false }
        func areChannels(_ size: Int?) -> Bool { size.map { [1, 3, 4].contains($0) } ?? false }
        let (first, last) = (areChannels(input.dimensions[1]), areChannels(input.dimensions[3]))
        guard first == last else { return first }
        return content.nodes.contains { node in
            node.inputs.first == input.name
                && ["Conv", "BatchNormalization", "MaxPool", "AveragePool"].contains(node.type)
        }
    }

    // MARK: Values

    func value(_ name: String) throws(GraftError) -> Value {
        guard let value = values[name] else {
            throw GraftError(
                .format,
                constants[name] == nil
                    ? "\(name.prefix(60)) is given by nothing"
                    : "\(name.prefix(60)) is a constant where a value belongs")
        }
        return value
    }

    /// An input that is there, by its position.
    func name(_ node: ONNXContent.Node, _ position: Int) -> String? {
        guard node.inputs.indices.contains(position), !node.inputs[position].isEmpty else { return nil }
        return node.inputs[position]
    }

    func input(_ node: ONNXContent.Node, _ position: Int) throws(GraftError) -> Value {
        guard let name = name(node, position) else { throw GraftError(.format, "its input \(position + 1) is missing") }
        return try value(name)
    }

    /// The constant at a position; `nil` where nothing stands there.
    func constant(_ node: ONNXContent.Node, _ position: Int) throws(GraftError) -> ONNXConstant? {
        guard let name = name(node, position) else { return nil }
        guard let constant = constants[name] else {
            throw GraftError(
                .format, "its input \(name.prefix(60)) is computed by the network; Graft reads it as a constant alone")
        }
        try budget.take(constant.count)
        return constant
    }

    mutating func set(_ node: ONNXContent.Node, _ value: Value, output: Int = 0) {
        guard node.outputs.indices.contains(output) else { return }
        values[node.outputs[output]] = value
    }

    mutating func setConstant(_ node: ONNXContent.Node, _ constant: ONNXConstant) throws(GraftError) {
        try budget.take(constant.count)
        if let name = node.outputs.first { constants[name] = constant }
    }

    /// What only one other node reads: it may become part of that one.
    func onlyReader(of name: String) -> (index: Int, node: ONNXContent.Node)? {
        guard readers[name] == 1, !outputNames.contains(name) else { return nil }
        // Files are in order: it is not far.
        let rest = content.nodes.indices.dropFirst(current + 1).prefix(16)
        return rest.first { content.nodes[$0].inputs.contains(name) }.map { ($0, content.nodes[$0]) }
    }

    // MARK: Layers

    /// A name that no other layer has.
    mutating func unique(_ wish: String) -> String {
        let name = Model.layerName(for: wish)
        var (result, number) = (name, names[name, default: 0])
        while names[result] != nil {
            number += 1
            result = "\(name)_\(number)"
        }
        names[name] = number
        names[result] = names[result] ?? 0
        return result
    }

    /// The name of the layer that gives a node's result.
    mutating func name(of node: ONNXContent.Node, _ suffix: String = "") -> String {
        unique((node.outputs.first ?? node.name) + suffix)
    }

    /// Calls a layer, and gives it its weights.
    mutating func call(
        _ layer: Layer, _ inputs: [SymbolicTensor], weights: [Tensor] = []
    ) throws(GraftError) -> SymbolicTensor {
        try layer.checkArguments()
        let result = try inputs.count == 1 ? layer(inputs[0]) : layer(inputs)
        if !weights.isEmpty { try layer.setWeights(weights) }
        return result
    }

    /// An argument of a function of `keras.ops`.
    enum Argument {
        case tensor(SymbolicTensor)
        case tensors([SymbolicTensor])
        case other(Configuration)
    }

    /// Calls a function of `keras.ops`.
    mutating func operation(
        _ type: String, _ arguments: [Argument], _ settings: [String: Configuration] = [:], name: String
    ) throws(GraftError) -> SymbolicTensor {
        let place: Configuration = ["class_name": "__keras_tensor__"]
        var (written, inputs) = ([Configuration](), [SymbolicTensor]())
        for argument in arguments {
            switch argument {
            case .tensor(let tensor):
                written.append(place)
                inputs.append(tensor)
            case .tensors(let tensors):
                written.append(.array(tensors.map { _ in place }))
                inputs += tensors
            case .other(let configuration): written.append(configuration)
            }
        }
        let layer = try OperationLayer([
            "class_name": .string(type), "config": .object(settings.merging(["name": .string(name)]) { $1 }),
            "inbound_nodes": [["args": .array(written), "kwargs": [:]]],
        ])
        return try layer.call(inputs)[0]
    }

    /// An array as Keras writes one into a call.
    func array(_ numbers: [Float], _ dimensions: [Int]) throws(GraftError) -> Configuration {
        guard numbers.count <= OperationLayer.constantLimit else {
            throw GraftError(
                .format, "its constant has \(numbers.count) numbers; at most \(OperationLayer.constantLimit) are read")
        }
        if dimensions.isEmpty { return .double(Double(numbers.first ?? 0)) }
        var level = numbers.map { Configuration.double(Double($0)) }
        for size in dimensions.dropFirst().reversed() {
            level = stride(from: 0, to: level.count, by: max(size, 1)).map { .array(Array(level[$0..<$0 + size])) }
        }
        return [
            "class_name": "__numpy__", "config": ["value": .array(level), "dtype": "float32"],
        ]
    }

    // MARK: Orders of axes

    /// A value in ONNX's order of axes.
    mutating func plain(_ value: Value, _ name: String) throws(GraftError) -> Value {
        switch value.layout {
        case .plain: return value
        case .channelsLast: return Value(tensor: try call(Permute([3, 1, 2], name: unique(name)), [value.tensor]))
        case .flattened(let shape):
            let image = try call(Reshape(shape.dimensions, name: unique(name + "_image")), [value.tensor])
            let turned = try call(Permute([3, 1, 2], name: unique(name + "_order")), [image])
            return Value(tensor: try call(Flatten(name: unique(name)), [turned]))
        }
    }

    /// A value of four axes with its channels last.
    mutating func channelsLast(_ value: Value, _ name: String) throws(GraftError) -> Value {
        guard value.rank == 4 else {
            throw GraftError(
                .format, "its input has \(value.rank) axes; Graft reads this of images alone, with four axes")
        }
        guard value.layout == .plain else { return value }
        return Value(
            tensor: try call(Permute([2, 3, 1], name: unique(name)), [value.tensor]), layout: .channelsLast)
    }

    /// Where an axis of ONNX stands in memory, the batch axis being 0.
    func position(_ axis: Int, of value: Value) throws(GraftError) -> Int {
        let axis = axis < 0 ? axis + value.rank : axis
        guard (0..<value.rank).contains(axis) else {
            throw GraftError(.format, "its axis \(axis) is none of \(value.rank)")
        }
        return value.layout == .channelsLast ? [0, 3, 1, 2][axis] : axis
    }
}
