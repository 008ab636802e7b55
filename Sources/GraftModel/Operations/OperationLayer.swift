/// A function of `keras.ops` in a functional model, such as `x / 127.5` or `keras.ops.mean(x, axis=[1, 2])`.
///
/// Keras writes such a function in the place of a layer: its class, its arguments, and what it is called with, numbers and
/// arrays among them. Graft computes those of ``OperationTable`` and writes them as they were.
///
/// Operations count axes from the batch axis. One that does not keep the batch in front is refused.
///
/// Source: keras/src/ops/operation.py; keras/src/ops/function.py.
public final class OperationLayer: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Keras's class of the function: `TrueDivide`.
    public let operation: String
    private let module: String
    private let settings: [String: Configuration]
    private let template: [OperationArgument]
    private let rule: OperationTable.Rule

    /// The most elements of a constant.
    package static let constantLimit = 1 << 20
    /// The most steps along an axis, each an index that is held: more rows than an image has, and few enough for the thousands
    /// of operations that a hostile file may have.
    static let stepLimit = 1 << 14

    /// From Keras's serialized object with its calls.
    ///
    /// - Throws: ``GraftError`` with code `format` for a function that is not known, or a call that cannot be read.
    package init(_ serialized: Configuration) throws(GraftError) {
        let name = serialized["config"]?["name"]?.text ?? serialized["name"]?.text
        operation = String((serialized["class_name"]?.text ?? "").prefix(60))
        module = serialized["module"]?.text ?? OperationTable.module(of: operation)
        let place = "the operation \(operation)\(name.map { " \($0.prefix(60))" } ?? "")"
        guard let rule = OperationTable.rules[operation] else {
            throw GraftError(
                .format,
                "\(place) of keras.ops is not known to Graft; known are \(OperationTable.rules.keys.sorted().joined(separator: ", ")). "
                    + "Build the model with layers in its place, or cut the model before it")
        }
        self.rule = rule
        var settings = serialized["config"]?.members ?? [:]
        settings["name"] = nil
        self.settings = settings
        var templates: [[OperationArgument]] = []
        for node in serialized["inbound_nodes"]?.elements ?? [] {
            do throws(GraftError) {
                templates.append(try Self.template(of: node))
            } catch {
                throw error.inside(place)
            }
        }
        guard let template = templates.first, templates.allSatisfy({ $0 == template }) else {
            throw GraftError(.format, "\(place) is called in no way, or in several; Graft knows only one")
        }
        self.template = template
        super.init(name: name)
        markBuilt([])
    }

    /// Whether an object of a file that names no modules, as Keras 3's `.h5`, is an operation: layers say whether they train.
    static func isUnnamedOperation(_ serialized: Configuration) -> Bool {
        guard serialized["module"] == nil, let name = serialized["class_name"]?.text else { return false }
        return OperationTable.rules[name] != nil && serialized["config"]?["trainable"] == nil
    }

    /// What a call reads, tensors by their position among those of the call.
    private static func template(of node: Configuration) throws(GraftError) -> [OperationArgument] {
        for (key, value) in node["kwargs"]?.members ?? [:] where !value.isNull && key != "training" {
            throw GraftError(.format, "its call has the argument \(key.prefix(60)) by name, which Graft does not read")
        }
        guard let arguments = node["args"]?.elements else { throw GraftError(.format, "its call has no args") }
        var count = 0
        return try arguments.map { (argument) throws(GraftError) in try OperationArgument(argument, &count, depth: 0) }
    }

    package override var kindName: String { operation }

    // MARK: Shapes and operations

    /// The shape that the function gives, its batch axis left out.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        // Two batches of different sizes: what is a batch's size in both is the batch.
        let results = try [2, 3].map { (batch) throws(GraftError) in try shape(inputShapes, batch: batch) }
        guard results[0].rank > 0, results[0][0] == 2, results[1].rank > 0, results[1][0] == 3,
            results[0].dimensions.dropFirst() == results[1].dimensions.dropFirst()
        else {
            throw GraftError(
                .shape,
                "\(operation): the result for a batch of 2 has the shape \(results[0]), for one of 3 \(results[1]); Graft "
                    + "keeps the batch in front and its examples apart")
        }
        return Shape(Array(results[0].dimensions.dropFirst()))
    }

    private func shape(_ inputShapes: [Shape], batch: Int) throws(GraftError) -> Shape {
        var graph = Graph()
        var inputs: [ValueID] = []
        for (index, shape) in inputShapes.enumerated() {
            try inputs.append(graph.input("\(index)", Shape([batch] + shape.dimensions)))
        }
        let value = try result(inputs, in: &graph)
        return graph.shape(of: value)
    }

    /// The function's operations.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try result(inputs, in: &context.graph)
    }

    private func result(_ inputs: [ValueID], in graph: inout Graph) throws(GraftError) -> ValueID {
        let ranks = Set(inputs.map { graph.shape(of: $0).rank })
        if OperationTable.elementwise.contains(operation), ranks.count > 1 {
            let shapes = inputs.map { Shape(Array(graph.shape(of: $0).dimensions.dropFirst())).batchDescription }
            let way = ["Add", "Multiply"].contains(operation) ? "keras.layers.\(operation), or Reshape" : "Reshape"
            throw GraftError(
                .shape,
                "the operator \(operation) joins the shapes \(shapes.joined(separator: " and ")) as NumPy does, from the last "
                    + "axis on, so that the batch meets another axis; use \(way) to the same rank")
        }
        return try rule(OperationCall(settings: settings, arguments: template, inputs: inputs), &graph)
    }

    // MARK: As Keras writes it

    /// The serialized object without its calls.
    var serializedOperation: Configuration {
        [
            "module": .string(module), "class_name": .string(operation),
            "config": .object(settings.merging(["name": .string(name)]) { $1 }),
            "registered_name": .string(operation),
        ]
    }

    /// The arguments of a call that reads these tensors.
    func written(_ tensors: [Configuration]) -> [Configuration] { template.map { $0.configuration(tensors) } }
}

/// What an operation's call is given at one place.
enum OperationArgument: Equatable {
    /// A tensor, by its position among those of the call.
    case tensor(Int)
    /// Several.
    case list([OperationArgument])
    /// Anything else: a number, an array, a slice.
    case constant(Configuration)

    /// Lists inside lists; an index has one level, a constant as many as axes.
    private static let depthLimit = 8

    init(_ configuration: Configuration, _ count: inout Int, depth: Int) throws(GraftError) {
        if configuration["class_name"]?.text == "__keras_tensor__" {
            self = .tensor(count)
            count += 1
            return
        }
        guard let elements = configuration.elements, depth < Self.depthLimit else {
            self = .constant(configuration)
            return
        }
        let parts = try elements.map { (element) throws(GraftError) in
            try OperationArgument(element, &count, depth: depth + 1)
        }
        self = parts.contains(where: \.readsTensors) ? .list(parts) : .constant(configuration)
    }

    private var readsTensors: Bool {
        switch self {
        case .tensor: true
        case .list(let parts): parts.contains(where: \.readsTensors)
        case .constant: false
        }
    }

    func configuration(_ tensors: [Configuration]) -> Configuration {
        switch self {
        case .tensor(let position): tensors.indices.contains(position) ? tensors[position] : .null
        case .list(let parts): .array(parts.map { $0.configuration(tensors) })
        case .constant(let constant): constant
        }
    }
}

/// One call of an operation: its settings and what it is given.
struct OperationCall {
    let settings: [String: Configuration]
    let arguments: [OperationArgument]
    let inputs: [ValueID]

    /// An argument as a value of the graph.
    func value(_ position: Int, in graph: inout Graph) throws(GraftError) -> ValueID {
        guard arguments.indices.contains(position) else {
            throw GraftError(.format, "its call has \(arguments.count) arguments; it needs \(position + 1)")
        }
        switch arguments[position] {
        case .tensor(let index): return inputs[index]
        case .constant(let constant): return try graph.constant(Self.tensor(constant))
        case .list: throw GraftError(.format, "argument \(position + 1) of its call is a list of tensors")
        }
    }

    /// The number that an argument is; `nil` where it is something else.
    func number(_ position: Int) -> Double? {
        guard arguments.indices.contains(position), case .constant(let constant) = arguments[position] else {
            return nil
        }
        return constant.number
    }

    /// An argument that is a list of tensors.
    func values(_ position: Int) throws(GraftError) -> [ValueID] {
        guard arguments.indices.contains(position), case .list(let parts) = arguments[position] else {
            throw GraftError(.format, "argument \(position + 1) of its call must be a list of tensors")
        }
        return try parts.map { (part) throws(GraftError) in
            guard case .tensor(let index) = part else {
                throw GraftError(.format, "argument \(position + 1) of its call holds a constant among tensors")
            }
            return inputs[index]
        }
    }

    /// An argument that is no tensor.
    func constant(_ position: Int) throws(GraftError) -> Configuration {
        guard arguments.indices.contains(position), case .constant(let constant) = arguments[position] else {
            throw GraftError(.format, "argument \(position + 1) of its call must be given in the file")
        }
        return constant
    }

    /// A setting that may be missing or `null`.
    func setting(_ key: String) -> Configuration? {
        guard let value = settings[key], !value.isNull else { return nil }
        return value
    }

    /// A setting that must have no other value than this.
    func require(_ key: String, _ expected: Configuration) throws(GraftError) {
        guard let value = setting(key), value != expected else { return }
        throw GraftError(.format, "its argument \(key) is \(value.brief); Graft knows only \(expected.brief) there")
    }

    /// The axes of a setting, from 0; all of them where it is `null`.
    func axes(_ key: String = "axis", rank: Int) throws(GraftError) -> [Int] {
        guard let value = setting(key) else { return Array(0..<rank) }
        let axes = try value.axes().map { $0 < 0 ? $0 + rank : $0 }
        guard Set(axes).count == axes.count, axes.allSatisfy({ (0..<rank).contains($0) }) else {
            throw GraftError(.shape, "its axes \(value.brief) are not distinct axes of a tensor with \(rank)")
        }
        return axes
    }

    /// A number, an array of Keras's, or lists of numbers.
    static func tensor(_ constant: Configuration) throws(GraftError) -> Tensor {
        if let number = constant.number { return Tensor(Float(number)) }
        let isArray = ["__numpy__", "__tensor__"].contains(constant["class_name"]?.text)
        let value = isArray ? constant["config"]?["value"] ?? .null : constant
        if let number = value.number { return Tensor(Float(number)) }
        var (numbers, shape) = ([Float](), [Int]())
        try collect(value, depth: 0, &numbers, &shape)
        return Tensor(numbers, shape: Shape(shape))
    }

    private static func collect(
        _ value: Configuration, depth: Int, _ numbers: inout [Float], _ shape: inout [Int]
    ) throws(GraftError) {
        if let number = value.number, depth == shape.count {
            guard numbers.count < OperationLayer.constantLimit else {
                throw GraftError(.format, "its constant has more than \(OperationLayer.constantLimit) numbers")
            }
            numbers.append(Float(number))
            return
        }
        guard let elements = value.elements, !elements.isEmpty, depth < 8 else {
            throw GraftError(.format, "its call reads \(value.brief), which is no number, array or tensor")
        }
        // The first list of a depth says how long all of them are.
        if depth == shape.count, numbers.isEmpty { shape.append(elements.count) }
        guard depth < shape.count, shape[depth] == elements.count else {
            throw GraftError(.format, "its call reads an array whose rows have different lengths")
        }
        for element in elements { try collect(element, depth: depth + 1, &numbers, &shape) }
    }
}

extension OperationLayer {
    /// A function as a call of `keras.ops` in Python makes it: `x * 0`, `x[:, 0]`, `ops.matmul(x, y)`.
    ///
    /// - Parameters:
    ///   - operation: Keras's class of the function.
    ///   - inputs: The tensors, which stand first.
    ///   - constants: What stands behind them, as Keras writes it.
    ///   - settings: What the function's object keeps, as Keras writes it.
    /// - Throws: ``GraftError`` with code `format` or `shape` where the function is not known or does not take it.
    package static func calling(
        _ operation: String, on inputs: SymbolicTensor..., constants: [Configuration] = [],
        settings: [String: Configuration] = [:], name: String
    ) throws(GraftError) -> SymbolicTensor {
        let tensors = inputs.map { _ -> Configuration in ["class_name": "__keras_tensor__"] }
        let node: Configuration = ["args": .array(tensors + constants), "kwargs": [:]]
        return try OperationLayer([
            "class_name": .string(operation), "config": .object(settings.merging(["name": .string(name)]) { $1 }),
            "inbound_nodes": [node],
        ])(inputs)
    }
}
