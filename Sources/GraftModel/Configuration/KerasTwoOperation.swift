/// A function of TensorFlow's in a model of Keras 2 as the operation of `keras.ops` that computes the same.
struct KerasTwoOperation {
    private let members: [String: Configuration]
    private let function: String
    /// A tensor in Keras 3's form; `nil` for what is none.
    private let read: (Configuration) -> Configuration?

    init(_ members: [String: Configuration], read: @escaping (Configuration) -> Configuration?) {
        (self.members, self.read) = (members, read)
        function = members["config"]?["function"]?.text ?? ""
    }

    /// Functions of two numbers, with the name of the second argument.
    private static let binary: [String: (name: String, other: String)] = [
        "math.multiply": ("Multiply", "y"), "math.truediv": ("TrueDivide", "y"), "math.divide": ("TrueDivide", "y"),
        "math.subtract": ("Subtract", "y"), "math.add": ("Add", "y"), "__operators__.add": ("Add", "y"),
        "math.maximum": ("Maximum", "y"), "math.minimum": ("Minimum", "y"), "math.pow": ("Power", "y"),
        "nn.bias_add": ("Add", "bias"), "linalg.matmul": ("Matmul", "b"),
    ]

    /// Functions of one tensor, with the settings that Keras 3 has for them, by the argument that holds each.
    private static let unary: [String: (name: String, settings: [String: String], defaults: [String: Configuration])] =
        [
            "nn.relu": ("Relu", [:], [:]), "nn.relu6": ("Relu6", [:], [:]), "nn.elu": ("Elu", [:], [:]),
            "nn.selu": ("Selu", [:], [:]), "nn.silu": ("Silu", [:], [:]), "nn.swish": ("Silu", [:], [:]),
            "nn.gelu": ("Gelu", ["approximate": "approximate"], ["approximate": false]),
            "nn.leaky_relu": ("LeakyRelu", ["alpha": "negative_slope"], ["negative_slope": 0.2]),
            "nn.softmax": ("Softmax", ["axis": "axis"], ["axis": -1]), "nn.softplus": ("Softplus", [:], [:]),
            "math.softplus": ("Softplus", [:], [:]), "math.sigmoid": ("Sigmoid", [:], [:]),
            "nn.sigmoid": ("Sigmoid", [:], [:]), "math.tanh": ("Tanh", [:], [:]), "nn.tanh": ("Tanh", [:], [:]),
            "math.square": ("Square", [:], [:]), "math.sqrt": ("Sqrt", [:], [:]), "math.exp": ("Exp", [:], [:]),
            "math.log": ("Log", [:], [:]), "math.abs": ("Absolute", [:], [:]), "math.negative": ("Negative", [:], [:]),
            "identity": ("Identity", [:], [:]),
            "math.reduce_mean": ("Mean", ["axis": "axis", "keepdims": "keepdims"], ["axis": nil, "keepdims": false]),
            "math.reduce_sum": ("Sum", ["axis": "axis", "keepdims": "keepdims"], ["axis": nil, "keepdims": false]),
            "math.reduce_max": ("Max", ["axis": "axis", "keepdims": "keepdims"], ["axis": nil, "keepdims": false]),
            "math.reduce_min": ("Min", ["axis": "axis", "keepdims": "keepdims"], ["axis": nil, "keepdims": false]),
            "math.l2_normalize": ("Normalize", ["axis": "axis"], ["axis": -1, "order": 2, "epsilon": 1e-6]),
            "reshape": ("Reshape", ["shape": "newshape"], [:]), "cast": ("Cast", ["dtype": "dtype"], [:]),
            "transpose": ("Transpose", ["perm": "axes"], [:]),
            "compat.v1.transpose": ("Transpose", ["perm": "axes"], [:]),
            "expand_dims": ("ExpandDims", ["axis": "axis"], [:]), "squeeze": ("Squeeze", ["axis": "axis"], [:]),
            "compat.v1.squeeze": ("Squeeze", ["axis": "axis"], [:]),
            "concat": ("Concatenate", ["axis": "axis"], [:]), "stack": ("Stack", ["axis": "axis"], ["axis": 0]),
            "clip_by_value": ("Clip", ["clip_value_min": "x_min", "clip_value_max": "x_max"], [:]),
        ]

    private static let ofNN: Set<String> = [
        "Relu", "Relu6", "Elu", "Selu", "Silu", "Gelu", "LeakyRelu", "Softmax", "Softplus", "Sigmoid", "Normalize",
    ]
    private static let ofCore: Set<String> = ["Cast"]

    /// The operation with its one call.
    func translated() throws(GraftError) -> Configuration {
        let nodes = members["inbound_nodes"]?.elements ?? []
        guard let node = nodes.first, nodes.count == 1 else {
            throw problem("is called \(nodes.count) times; Graft knows one call")
        }
        let isList =
            KerasTwoCalls.history(node) == nil && node.elements?.first.map { KerasTwoCalls.history($0) != nil } ?? false
        let entries = isList ? node.elements ?? [] : [node]
        var named = (entries.first?.elements?.dropFirst(3).first?.members ?? [:]).filter { !$0.value.isNull }
        for key in ["name", "data_format"] { named[key] = nil }
        let tensors = try entries.map { (entry) throws(GraftError) in try argument(entry, isEntry: true) }
        if function == "__operators__.getitem" {
            let index = named.removeValue(forKey: "slice_spec")?.elements ?? []
            return try operation("GetItem", [:], tensors + [.array(index.map(Self.index))], named)
        }
        if let (name, other) = Self.binary[function] {
            guard let second = named.removeValue(forKey: other) else { throw problem("lacks its argument \(other)") }
            return try operation(name, [:], tensors + [argument(second, isEntry: false)], named)
        }
        guard let (name, settings, defaults) = Self.unary[function] else {
            let known = (Array(Self.binary.keys) + Array(Self.unary.keys)).sorted().joined(separator: ", ")
            throw problem("is none that Graft knows (\(known)); build the model with layers in its place")
        }
        var config = defaults
        for (argument, setting) in settings {
            if let value = named.removeValue(forKey: argument) { config[setting] = value }
        }
        return try operation(name, config, isList ? [.array(tensors)] : tensors, named)
    }

    /// A tensor, or a number or array; of `1 − x` the entry holds the number where a tensor's output stands.
    private func argument(_ value: Configuration, isEntry: Bool) throws(GraftError) -> Configuration {
        if let tensor = read(value) { return tensor }
        guard isEntry else { return value }
        guard let parts = value.elements, parts.count >= 3, parts[0].text == "_CONSTANT_VALUE" else {
            throw problem("has a call that is not described: \(value.brief)")
        }
        return parts[2]
    }

    private static func index(_ element: Configuration) -> Configuration {
        guard let members = element.members else { return element }
        return members["class_name"] != nil
            ? ["class_name": members["class_name"] ?? .null, "config": .object([:])]
            : ["class_name": "__slice__", "config": element]
    }

    private func operation(
        _ name: String, _ settings: [String: Configuration], _ arguments: [Configuration],
        _ rest: [String: Configuration]
    ) throws(GraftError) -> Configuration {
        if let key = rest.keys.min() { throw problem("has the argument \(key.prefix(60)), which Graft does not know") }
        let module = Self.ofNN.contains(name) ? "nn" : Self.ofCore.contains(name) ? "core" : "numpy"
        let own = members["name"] ?? members["config"]?["name"] ?? .null
        return [
            "module": .string("keras.src.ops.\(module)"), "class_name": .string(name), "registered_name": .string(name),
            "config": .object(settings.merging(["name": own]) { $1 }), "name": own,
            "inbound_nodes": [["args": .array(arguments), "kwargs": [:]]],
        ]
    }

    private func problem(_ what: String) -> GraftError {
        let name = members["name"]?.text ?? members["config"]?["name"]?.text ?? ""
        return GraftError(.format, "the layer \(name.prefix(60)): TensorFlow's function \(function.prefix(60)) \(what)")
    }
}
