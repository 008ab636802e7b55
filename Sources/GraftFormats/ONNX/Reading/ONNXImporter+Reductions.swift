import GraftModel

extension ONNXImporter {
    /// Poolings, sums over axes, softmax.
    static let reductions: [String: Rule] = [
        "MaxPool": { (importer, node) throws(GraftError) in try importer.addPooling(node, isMaximum: true) },
        "AveragePool": { (importer, node) throws(GraftError) in try importer.addPooling(node, isMaximum: false) },
        "GlobalAveragePool": global { GlobalAveragePooling2D(keepDims: true, name: $0) },
        "GlobalMaxPool": global { GlobalMaxPooling2D(keepDims: true, name: $0) },
        "ReduceMean": reduction("Mean"), "ReduceSum": reduction("Sum"), "ReduceMax": reduction("Max"),
        "ReduceMin": reduction("Min"),
        "ReduceL2": { (importer, node) throws(GraftError) in
            let value = try importer.plain(importer.input(node, 0), node.inputs[0] + "_order")
            let squares = try importer.operation(
                "Square", [.tensor(value.tensor)], name: importer.name(of: node, "_squares"))
            let sum = try importer.reduce("Sum", Value(tensor: squares), node, importer.name(of: node, "_sum"))
            let result = try importer.operation("Sqrt", [.tensor(sum.tensor)], name: importer.name(of: node))
            importer.set(node, Value(tensor: result, layout: sum.layout))
        },
        "Softmax": softmax("Softmax"), "LogSoftmax": softmax("LogSoftmax"),
    ]

    private static func global(_ make: @escaping @Sendable (String) -> Layer) -> Rule {
        { (importer, node) throws(GraftError) in
            let value = try importer.channelsLast(importer.input(node, 0), node.inputs[0] + "_last")
            let result = try importer.call(make(importer.name(of: node)), [value.tensor])
            importer.set(node, Value(tensor: result, layout: .channelsLast))
        }
    }

    // MARK: Over axes

    private static func reduction(_ type: String) -> Rule {
        { (importer, node) throws(GraftError) in
            let value = try importer.input(node, 0)
            let result = try importer.reduce(type, value, node, importer.name(of: node))
            importer.set(node, result)
        }
    }

    private mutating func reduce(
        _ type: String, _ value: Value, _ node: ONNXContent.Node, _ name: String
    ) throws(GraftError) -> Value {
        let keeps = node.integer("keepdims") ?? 1 != 0
        let given = try axes(node, input: 1) ?? []
        if given.isEmpty, node.integer("noop_with_empty_axes") ?? 0 != 0 { return value }
        var value = value
        let rank = value.rank
        let wanted = Set((given.isEmpty ? Array(0..<rank) : given).map { $0 < 0 ? $0 + rank : $0 })
        guard !wanted.contains(0), wanted.allSatisfy({ (1..<rank).contains($0) }) else {
            throw GraftError(.format, "its axes \(given.prefix(8)) are not of an example: Graft keeps the batch")
        }
        let isImage = value.layout == .channelsLast && (keeps || wanted == [2, 3] || wanted == [1, 2, 3])
        if !isImage { value = try plain(value, node.inputs[0] + "_order") }
        if isImage, type == "Mean", wanted == [2, 3] {
            let result = try call(GlobalAveragePooling2D(keepDims: keeps, name: name), [value.tensor])
            return Value(tensor: result, layout: keeps ? .channelsLast : .plain)
        }
        let axes = try wanted.sorted().map { (axis) throws(GraftError) in try position(axis, of: value) }.sorted()
        guard keeps || axes.count < rank - 1 else {
            throw GraftError(.format, "it leaves one number of each example, which has no axis")
        }
        let settings: [String: Configuration] = [
            "axis": .array(axes.map { .int($0) }), "keepdims": .bool(keeps),
        ]
        let result = try operation(type, [.tensor(value.tensor)], settings, name: name)
        return Value(tensor: result, layout: isImage && keeps ? .channelsLast : .plain)
    }

    private static func softmax(_ type: String) -> Rule {
        { (importer, node) throws(GraftError) in
            var value = try importer.input(node, 0)
            let isOld = importer.content.operatorSet < 13
            let axis = node.integer("axis") ?? (isOld ? 1 : -1)
            if case .flattened = value.layout { value = try importer.plain(value, node.inputs[0] + "_order") }
            // Of logarithms the function goes over the last axis alone.
            if type == "LogSoftmax", try importer.position(axis, of: value) != value.rank - 1 {
                value = try importer.plain(value, node.inputs[0] + "_order")
            }
            let position = try importer.position(axis, of: value)
            // Before version 13 it went over all axes from its own on.
            guard position > 0,
                !isOld || axis == value.rank - 1 || axis == -1
                    || value.sizes.dropFirst(max(axis, 1)).allSatisfy({ $0 == 1 })
            else { throw GraftError(.format, "it goes over several axes, or over the batch") }
            guard type == "LogSoftmax" || position != value.rank - 1 else {
                let result = try importer.call(Activation(.softmax, name: importer.name(of: node)), [value.tensor])
                return importer.set(node, Value(tensor: result, layout: value.layout))
            }
            let result = try importer.operation(
                type, [.tensor(value.tensor)], ["axis": .int(position)], name: importer.name(of: node))
            importer.set(node, Value(tensor: result, layout: value.layout))
        }
    }

    // MARK: Windows

    private mutating func addPooling(_ node: ONNXContent.Node, isMaximum: Bool) throws(GraftError) {
        let value = try channelsLast(input(node, 0), node.inputs[0] + "_last")
        guard node.integers("kernel_shape")?.count == 2, try size(node, "dilations") == Size2D(1) else {
            throw GraftError(.format, "its window has not two sizes, or is dilated; Graft reads those of images")
        }
        guard node.outputs.dropFirst().allSatisfy({ $0.isEmpty || readers[$0] == nil }) else {
            throw GraftError(.format, "it gives the places of the largest numbers, which Graft does not")
        }
        let (window, strides) = (try size(node, "kernel_shape"), try size(node, "strides"))
        let image = value.tensor.shape
        var edges = try edges(node, image, window: window, strides: strides)
        if node.integer("ceil_mode") ?? 0 != 0 {
            edges.padding.bottom += Self.excess(
                image[0], edges.padding.top, edges.padding.bottom, window.height, strides.height)
            edges.padding.right += Self.excess(
                image[1], edges.padding.left, edges.padding.right, window.width, strides.width)
            let same = Padding.same.edges(height: image[0], width: image[1], window: window, strides: strides)
            edges.isSame = edges.padding == same && !edges.isNone
        }
        let counts = node.integer("count_include_pad") ?? 0 != 0
        let isSame = edges.isSame && (isMaximum || !counts)
        guard isMaximum || !counts || node.integer("ceil_mode") ?? 0 == 0 else {
            throw GraftError(.format, "its ceil_mode with count_include_pad counts places that Graft does not")
        }
        var source = value.tensor
        if !isSame, !edges.isNone { source = try padded(value, edges.padding, isMaximum, node.outputs[0] + "_pad") }
        let padding: Padding = isSame ? .same : .valid
        let hasShares = !isMaximum && !isSame && !counts && !edges.isNone
        let name = name(of: node, hasShares ? "_sum" : "")
        let layer: Layer =
            isMaximum
            ? MaxPooling2D(poolSize: window, strides: strides, padding: padding, name: name)
            : AveragePooling2D(poolSize: window, strides: strides, padding: padding, name: name)
        var result = try call(layer, [source])
        if hasShares {
            guard result.shape[0] * result.shape[1] <= OperationLayer.constantLimit else {
                throw GraftError(
                    .format, "its result has \(result.shape.batchDescription), too many places to weigh each")
            }
            let shares = Self.shares(image, edges.padding, window, strides)
            let factors = try array(shares, [1, result.shape[0], result.shape[1], 1])
            result = try operation("Multiply", [.tensor(result), .other(factors)], name: self.name(of: node))
        }
        set(node, Value(tensor: result, layout: .channelsLast))
    }

    /// The rows that a last window lacks, which `ceil_mode` counts: it must begin inside the image or the edge before it.
    private static func excess(_ size: Int, _ before: Int, _ after: Int, _ window: Int, _ stride: Int) -> Int {
        let free = size + before + after - window
        guard free > 0, free % stride != 0 else { return 0 }
        let start = (free / stride + 1) * stride
        return start < size + before ? stride - free % stride : 0
    }

    /// Edges for a pooling. For a maximum they lose to every number, unless all are known to be at least 0.
    private mutating func padded(
        _ value: Value, _ padding: EdgePadding, _ isMaximum: Bool, _ name: String
    ) throws(GraftError) -> SymbolicTensor {
        let activation = (value.tensor.layer as? Activation)?.activation
        let isPositive = activation == .relu || activation == .sigmoid || value.tensor.layer is ReLU
        guard isMaximum, !isPositive else { return try padded(value.tensor, padding, name) }
        let widths: Configuration = [
            [.int(0), .int(0)], [.int(padding.top), .int(padding.bottom)], [.int(padding.left), .int(padding.right)],
            [.int(0), .int(0)],
        ]
        return try operation(
            "Pad", [.tensor(value.tensor), .other(.double(-Double(Float.greatestFiniteMagnitude)))],
            ["pad_width": widths, "mode": "constant"], name: unique(name))
    }

    /// What an average over a whole window becomes where edges do not count: the window's places by those inside the image.
    private static func shares(_ image: Shape, _ padding: EdgePadding, _ window: Size2D, _ strides: Size2D) -> [Float] {
        func counts(_ size: Int, _ before: Int, _ after: Int, _ window: Int, _ stride: Int) -> [Int] {
            Swift.stride(from: 0, through: size + before + after - window, by: stride).map { start in
                max(min(start + window, size + before) - max(start, before), 1)
            }
        }
        let rows = counts(image[0], padding.top, padding.bottom, window.height, strides.height)
        let columns = counts(image[1], padding.left, padding.right, window.width, strides.width)
        return rows.flatMap { row in columns.map { Float(window.height * window.width) / Float(row * $0) } }
    }
}
