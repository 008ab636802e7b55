import GraftModel

extension ONNXImporter {
    /// Functions of each element, of one value or several.
    static let elementwise: [String: Rule] = activations.merging(functions) { first, _ in first }
        .merging(joining) { first, _ in first }

    /// A layer in the place of a node, whatever the order of axes.
    private static func layer(
        _ make: @escaping @Sendable (ONNXContent.Node, String) throws(GraftError) -> Layer
    ) -> Rule {
        { (importer, node) throws(GraftError) in
            let value = try importer.input(node, 0)
            let result = try importer.call(make(node, importer.name(of: node)), [value.tensor])
            importer.set(node, Value(tensor: result, layout: value.layout))
        }
    }

    private static func activation(_ function: ActivationFunction) -> Rule {
        layer { _, name in Activation(function, name: name) }
    }

    private static func function(_ type: String, _ settings: [String: Configuration] = [:]) -> Rule {
        { (importer, node) throws(GraftError) in
            let value = try importer.input(node, 0)
            let result = try importer.operation(
                type, [.tensor(value.tensor)], settings, name: importer.name(of: node))
            importer.set(node, Value(tensor: result, layout: value.layout))
        }
    }

    private static let activations: [String: Rule] = [
        "Relu": activation(.relu), "Sigmoid": activation(.sigmoid), "Tanh": activation(.tanh),
        "Softplus": activation(.softplus), "Softsign": activation(.softsign), "HardSwish": activation(.hardSilu),
        "Mish": activation(.mish),
        "Identity": layer { _, name in Identity(name: name) },
        // In inference it gives its input, and the fraction that it left out is not always in the file.
        "Dropout": layer { _, name in Identity(name: name) },
        "LeakyRelu": layer { node, name in LeakyReLU(node.number("alpha") ?? 0.01, name: name) },
        "Elu": layer { node, name in ELU(alpha: node.number("alpha") ?? 1, name: name) },
        "Selu": layer { (node, name) throws(GraftError) in
            let (alpha, gamma) = (node.number("alpha") ?? 1.673263, node.number("gamma") ?? 1.050701)
            guard abs(alpha - 1.673263) < 1e-4, abs(gamma - 1.050701) < 1e-4 else {
                throw GraftError(
                    .format, "its alpha \(alpha) and gamma \(gamma) are not those of the paper, which Graft has")
            }
            return Activation(.selu, name: name)
        },
        "Gelu": layer { node, name in Activation(node.text("approximate") == "tanh" ? .geluTanh : .gelu, name: name) },
        "HardSigmoid": { (importer, node) throws(GraftError) in
            let (alpha, beta) = (node.number("alpha") ?? 0.2, node.number("beta") ?? 0.5)
            let value = try importer.input(node, 0)
            guard abs(alpha - 1 / 6.0) > 1e-6 || beta != 0.5 else {
                let result = try importer.call(Activation(.hardSigmoid, name: importer.name(of: node)), [value.tensor])
                return importer.set(node, Value(tensor: result, layout: value.layout))
            }
            let line = try importer.call(
                Rescaling(alpha, offset: beta, name: importer.name(of: node, "_line")), [value.tensor])
            let result = try importer.operation(
                "Clip", [.tensor(line)], ["x_min": .double(0), "x_max": .double(1)], name: importer.name(of: node))
            importer.set(node, Value(tensor: result, layout: value.layout))
        },
        "PRelu": { (importer, node) throws(GraftError) in try importer.addSlopes(node) },
        "Clip": { (importer, node) throws(GraftError) in try importer.addClip(node) },
        "Cast": { (importer, node) throws(GraftError) in
            guard [1, 10, 11, 16].contains(node.integer("to") ?? 1) else {
                throw GraftError(.format, "it makes whole numbers of values; Graft computes with floats alone")
            }
            let value = try importer.input(node, 0)
            let result = try importer.operation(
                "Cast", [.tensor(value.tensor)], ["dtype": "float32"], name: importer.name(of: node))
            importer.set(node, Value(tensor: result, layout: value.layout))
        },
    ]

    private static let functions: [String: Rule] = [
        "Erf": function("Erf"), "Sqrt": function("Sqrt"), "Exp": function("Exp"), "Log": function("Log"),
        "Neg": function("Negative"), "Abs": function("Absolute"), "Sign": function("Sign"),
        "Reciprocal": { (importer, node) throws(GraftError) in
            let value = try importer.input(node, 0)
            let result = try importer.operation(
                "TrueDivide", [.other(.double(1)), .tensor(value.tensor)], name: importer.name(of: node))
            importer.set(node, Value(tensor: result, layout: value.layout))
        },
    ]

    // MARK: Several values

    private static let joining: [String: Rule] = [
        "Add": binary("Add") { Add(name: $0) }, "Mul": binary("Multiply") { Multiply(name: $0) },
        "Sub": binary("Subtract") { Subtract(name: $0) }, "Div": binary("TrueDivide", nil), "Pow": binary("Power", nil),
        "Max": several("Maximum") { Maximum(name: $0) }, "Min": several("Minimum") { Minimum(name: $0) },
        "Sum": several("Add") { Add(name: $0) },
        "Mean": several("Add") { Average(name: $0) },
    ]

    private typealias Maker = @Sendable (String) -> Layer

    private static func binary(_ type: String, _ make: Maker?) -> Rule {
        { (importer, node) throws(GraftError) in
            guard node.inputs.count == 2 else {
                throw GraftError(.format, "it has \(node.inputs.count) inputs, and needs two")
            }
            try importer.join(node, type, make)
        }
    }

    private static func several(_ type: String, _ make: @escaping Maker) -> Rule {
        { (importer, node) throws(GraftError) in try importer.join(node, type, make) }
    }

    private mutating func join(_ node: ONNXContent.Node, _ type: String, _ make: Maker?) throws(GraftError) {
        let (operands, layout) = try aligned(node)
        let tensors = operands.compactMap { if case .value(let tensor) = $0 { tensor } else { nil } }
        if node.inputs.count == 1 {
            return set(node, Value(tensor: try call(Identity(name: name(of: node)), tensors), layout: layout))
        }
        if let make, tensors.count == operands.count {
            return set(node, Value(tensor: try call(make(name(of: node)), tensors), layout: layout))
        }
        guard operands.count == 2 else {
            throw GraftError(.format, "it has constants among more than two inputs, which Graft does not read")
        }
        let arguments = operands.map {
            if case .value(let tensor) = $0 { Argument.tensor(tensor) } else { $0.constant }
        }
        set(node, Value(tensor: try operation(type, arguments, name: name(of: node)), layout: layout))
    }

    /// What stands on one side of an operator that joins values element by element.
    private enum Operand {
        case value(SymbolicTensor)
        case number(Configuration)

        var constant: Argument { if case .number(let number) = self { .other(number) } else { .other(.null) } }
    }

    /// All inputs in one order of axes: that of the values that are images, else ONNX's.
    private mutating func aligned(_ node: ONNXContent.Node) throws(GraftError) -> ([Operand], Layout) {
        let known = node.inputs.compactMap { values[$0] }
        let layouts = Set(known.map(\.layout.name))
        var layout = known.first?.layout ?? .plain
        if layouts.count > 1 || known.contains(where: { $0.rank != known[0].rank }) {
            layout =
                known.contains { $0.layout == .channelsLast } && known.allSatisfy { $0.rank == 4 }
                ? .channelsLast : .plain
        }
        let rank = known.map(\.rank).max() ?? 0
        var operands: [Operand] = []
        for name in node.inputs {
            if let constant = constants[name] {
                try operands.append(.number(aligned(constant, rank: rank, layout, name)))
                continue
            }
            var value = try value(name)
            switch layout {
            case .plain: value = try plain(value, name + "_order")
            case .channelsLast: value = try channelsLast(value, name + "_last")
            case .flattened: break
            }
            guard value.rank == rank else {
                throw GraftError(
                    .format,
                    "it joins values of \(value.rank) and \(rank) axes; Graft reads equal ones, so that the batch stays first"
                )
            }
            operands.append(.value(value.tensor))
        }
        return (operands, layout)
    }

    /// A constant with as many axes as the values, in their order.
    private func aligned(
        _ constant: ONNXConstant, rank: Int, _ layout: Layout, _ name: String
    ) throws(GraftError) -> Configuration {
        if let scalar = constant.scalar { return .double(scalar) }
        try budget.take(constant.count)
        let missing = rank - constant.dimensions.count
        guard missing >= 0 else {
            throw GraftError(.format, "its constant \(name.prefix(60)) has more axes than the value")
        }
        let sizes = [Int](repeating: 1, count: missing) + constant.dimensions
        guard sizes[0] == 1 else {
            throw GraftError(.format, "its constant \(name.prefix(60)) has numbers for each example of a batch")
        }
        let stored = Tensor(constant.floats, shape: Shape(sizes))
        switch layout {
        case .plain: return try array(stored.scalars, sizes)
        case .channelsLast:
            let order = [0, 2, 3, 1]
            return try array(stored.scalars(permutedBy: order), order.map { sizes[$0] })
        case .flattened(let image):
            guard stored.count == image.elementCount else {
                throw GraftError(.format, "its constant \(name.prefix(60)) does not fit the flattened image")
            }
            let parts = Tensor(stored.scalars, shape: [image[2], image[0], image[1]])
            return try array(parts.scalars(permutedBy: [1, 2, 0]), sizes)
        }
    }

    // MARK: With parameters

    private mutating func addSlopes(_ node: ONNXContent.Node) throws(GraftError) {
        guard let slopes = try constant(node, 1), slopes.count > 0 else {
            throw GraftError(.format, "its slopes are missing")
        }
        let value = try input(node, 0)
        let channels = value.layout == .channelsLast ? value.tensor.shape.last : value.sizes.first ?? 0
        guard value.layout == .channelsLast || value.rank == 2, slopes.count == 1 || slopes.count == channels else {
            throw GraftError(.format, "its \(slopes.count) slopes are neither one nor one for each channel of an image")
        }
        let layer = PReLU(sharedAxes: value.rank == 4 ? [1, 2] : nil, name: name(of: node))
        let result = try call(layer, [value.tensor])
        let numbers = slopes.count == 1 ? [Float](repeating: slopes.floats[0], count: channels) : slopes.floats
        try layer.setWeights([Tensor(numbers, shape: layer.variables[0].shape)])
        set(node, Value(tensor: result, layout: value.layout))
    }

    private mutating func addClip(_ node: ONNXContent.Node) throws(GraftError) {
        let value = try input(node, 0)
        let lower = try number(node, "min", input: 1) ?? -Double(Float.greatestFiniteMagnitude)
        let upper = try number(node, "max", input: 2) ?? Double(Float.greatestFiniteMagnitude)
        let isRectifier = lower == 0 && upper > 0 && upper < Double(Float.greatestFiniteMagnitude)
        let result =
            try isRectifier
            ? call(ReLU(maxValue: upper, name: name(of: node)), [value.tensor])
            : operation(
                "Clip", [.tensor(value.tensor)], ["x_min": .double(lower), "x_max": .double(upper)],
                name: name(of: node))
        set(node, Value(tensor: result, layout: value.layout))
    }
}

extension ONNXImporter.Layout {
    fileprivate var name: String {
        switch self {
        case .plain: "plain"
        case .channelsLast: "last"
        case .flattened(let shape): "flattened \(shape)"
        }
    }
}
