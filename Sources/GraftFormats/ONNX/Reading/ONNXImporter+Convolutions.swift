import GraftModel

extension ONNXImporter {
    /// Convolutions, products with weights, normalizations and poolings.
    static let convolutions: [String: Rule] = [
        "Conv": { (importer, node) throws(GraftError) in try importer.addConvolution(node) },
        "ConvTranspose": { (importer, node) throws(GraftError) in try importer.addTransposedConvolution(node) },
        "Gemm": { (importer, node) throws(GraftError) in try importer.addGemm(node) },
        "MatMul": { (importer, node) throws(GraftError) in try importer.addProduct(node) },
        "BatchNormalization": { (importer, node) throws(GraftError) in try importer.addBatchNormalization(node) },
        "LayerNormalization": { (importer, node) throws(GraftError) in try importer.addLayerNormalization(node) },
        "InstanceNormalization": { (importer, node) throws(GraftError) in
            try importer.addGroupNormalization(node, groups: -1)
        },
        "GroupNormalization": { (importer, node) throws(GraftError) in
            try importer.addGroupNormalization(node, groups: node.integer("num_groups") ?? 1)
        },
        "LRN": { (importer, node) throws(GraftError) in try importer.addLocalNormalization(node) },
    ]

    /// What an operator with a window does at the edges of an image.
    struct Edges {
        var padding: EdgePadding
        /// Whether Keras's `same` does as much.
        var isSame: Bool
        var isNone: Bool { padding == EdgePadding() }
    }

    /// What `pads` and `auto_pad` say.
    func edges(
        _ node: ONNXContent.Node, _ image: Shape, window: Size2D, strides: Size2D, dilation: Size2D = 1
    ) throws(GraftError) -> Edges {
        let same = Padding.same.edges(
            height: image[0], width: image[1], window: window, strides: strides, dilation: dilation)
        switch node.text("auto_pad") ?? "NOTSET" {
        case "SAME_UPPER": return Edges(padding: same, isSame: true)
        case "SAME_LOWER":
            let lower = EdgePadding(top: same.bottom, bottom: same.top, left: same.right, right: same.left)
            return Edges(padding: lower, isSame: lower == same)
        case "VALID": return Edges(padding: EdgePadding(), isSame: false)
        case "NOTSET": break
        case let other: throw GraftError(.format, "its attribute auto_pad is \(other.prefix(60)), which there is not")
        }
        let pads = node.integers("pads") ?? [0, 0, 0, 0]
        guard pads.count == 4, pads.allSatisfy({ (0...Size2D.limit).contains($0) }) else {
            throw GraftError(.format, "its attribute pads is \(pads.prefix(8)); Graft reads four sizes from 0")
        }
        let padding = EdgePadding(top: pads[0], bottom: pads[2], left: pads[1], right: pads[3])
        return Edges(padding: padding, isSame: padding == same && padding != EdgePadding())
    }

    /// An image with zeros around it.
    mutating func padded(_ image: SymbolicTensor, _ padding: EdgePadding, _ name: String) throws(GraftError)
        -> SymbolicTensor
    {
        guard padding != EdgePadding() else { return image }
        return try call(ZeroPadding2D(padding: padding, name: unique(name)), [image])
    }

    // MARK: Convolutions

    /// The kernel of four axes at position 1, and the bias at 2.
    private func kernel(_ node: ONNXContent.Node) throws(GraftError) -> (kernel: ONNXConstant, bias: ONNXConstant?) {
        guard let kernel = try constant(node, 1), kernel.dimensions.count == 4, kernel.count > 0 else {
            throw GraftError(.format, "its kernel has not four axes; Graft reads convolutions of images alone")
        }
        return (kernel, try constant(node, 2))
    }

    private mutating func addConvolution(_ node: ONNXContent.Node) throws(GraftError) {
        let image = try channelsLast(input(node, 0), node.inputs[0] + "_last")
        let (kernel, bias) = try kernel(node)
        let groups = node.integer("group") ?? 1
        let sizes = kernel.dimensions
        let (window, strides) = (Size2D(sizes[2], sizes[3]), try size(node, "strides"))
        let dilation = try size(node, "dilations")
        let edges = try edges(node, image.tensor.shape, window: window, strides: strides, dilation: dilation)
        let padding: Padding = edges.isSame ? .same : .valid
        let source = edges.isSame ? image.tensor : try padded(image.tensor, edges.padding, node.outputs[0] + "_pad")
        let name = name(of: node)
        let channels = image.tensor.shape.last
        guard groups > 0, sizes[0].isMultiple(of: groups) else {
            throw GraftError(.format, "its kernel of the shape \(sizes) cannot be divided into \(groups) groups")
        }
        let (layer, order): (Layer, [Int]) =
            if groups > 1, groups == channels, sizes[1] == 1, dilation == Size2D(1) || strides == Size2D(1) {
                (
                    DepthwiseConv2D(
                        kernelSize: window, strides: strides, padding: padding, depthMultiplier: sizes[0] / groups,
                        dilationRate: dilation, useBias: bias != nil, name: name), [2, 3, 0, 1]
                )
            } else {
                (
                    Conv2D(
                        sizes[0], kernelSize: window, strides: strides, padding: padding, dilationRate: dilation,
                        groups: groups, useBias: bias != nil, name: name), [2, 3, 1, 0]
                )
            }
        try layer.checkArguments()
        let result = try layer(source)
        let shape = layer.variables.first?.shape ?? []
        try set(layer, [tensor(kernel, permutedBy: order, as: shape), bias.map(vector)])
        set(node, Value(tensor: result, layout: .channelsLast))
    }

    private mutating func addTransposedConvolution(_ node: ONNXContent.Node) throws(GraftError) {
        let image = try channelsLast(input(node, 0), node.inputs[0] + "_last")
        let (kernel, bias) = try kernel(node)
        try node.require("group", 1)
        guard node.attributes["output_shape"] == nil, ["NOTSET", "VALID"].contains(node.text("auto_pad") ?? "NOTSET")
        else { throw GraftError(.format, "it says its output's size or auto_pad; Graft reads pads and output_padding") }
        let sizes = kernel.dimensions
        let edges = try edges(
            node, image.tensor.shape, window: Size2D(sizes[2], sizes[3]), strides: size(node, "strides"))
        let extra = node.integers("output_padding") ?? [0, 0]
        guard extra.count == 2, extra.allSatisfy({ (0...Size2D.limit).contains($0) }) else {
            throw GraftError(.format, "its attribute output_padding is \(extra.prefix(8))")
        }
        var crop = edges.padding
        crop.bottom -= extra[0]
        crop.right -= extra[1]
        guard crop.bottom >= 0, crop.right >= 0 else {
            throw GraftError(
                .format, "its output_padding \(extra) is more than its pads cut off, which Graft does not read")
        }
        let name = name(of: node, crop == EdgePadding() ? "" : "_whole")
        let layer = Conv2DTranspose(
            sizes[1], kernelSize: Size2D(sizes[2], sizes[3]), strides: try size(node, "strides"),
            outputPadding: Size2D(0), dilationRate: try size(node, "dilations"), useBias: bias != nil, name: name)
        try layer.checkArguments()
        var result = try layer(image.tensor)
        try set(layer, [tensor(kernel, permutedBy: [2, 3, 1, 0], as: layer.variables[0].shape), bias.map(vector)])
        if crop != EdgePadding() { result = try call(Cropping2D(cropping: crop, name: self.name(of: node)), [result]) }
        set(node, Value(tensor: result, layout: .channelsLast))
    }

    // MARK: Weights

    /// Gives a layer its weights, those that it has.
    func set(_ layer: Layer, _ tensors: [Tensor?]) throws(GraftError) {
        try layer.setWeights(tensors.compactMap(\.self))
    }

    /// A constant's numbers in another order of axes.
    func tensor(_ constant: ONNXConstant, permutedBy axes: [Int], as shape: Shape) throws(GraftError) -> Tensor {
        let stored = Tensor(constant.floats, shape: Shape(constant.dimensions))
        guard shape.elementCount == stored.count else {
            throw GraftError(
                .format, "its weights have the shape \(constant.dimensions); the input needs \(shape) in Keras's order")
        }
        return Tensor(stored.scalars(permutedBy: axes), shape: shape)
    }

    func vector(_ constant: ONNXConstant) -> Tensor { Tensor(constant.floats, shape: [constant.count]) }

    // MARK: Products

    private mutating func addGemm(_ node: ONNXContent.Node) throws(GraftError) {
        try node.require("transA", 0)
        let input = try input(node, 0)
        guard let weights = try constant(node, 1), weights.dimensions.count == 2, input.rank == 2 else {
            throw GraftError(.format, "its weights must have two axes, and its input too")
        }
        let bias = try constant(node, 2)
        let (alpha, beta) = (Float(node.number("alpha") ?? 1), Float(node.number("beta") ?? 1))
        var numbers = Tensor(weights.floats, shape: Shape(weights.dimensions))
        if node.integer("transB") ?? 0 != 0 {
            numbers = Tensor(
                numbers.scalars(permutedBy: [1, 0]), shape: [weights.dimensions[1], weights.dimensions[0]])
        }
        if alpha != 1 { numbers = Tensor(numbers.scalars.map { alpha * $0 }, shape: numbers.shape) }
        var offsets = bias?.floats.map { beta * $0 }
        if let one = offsets, one.count == 1 { offsets = [Float](repeating: one[0], count: numbers.shape[1]) }
        try addDense(node, input, numbers, bias: offsets)
    }

    /// Weights on the last axis. A flattened image has them in another order.
    private mutating func addDense(
        _ node: ONNXContent.Node, _ input: Value, _ weights: Tensor, bias: [Float]?
    ) throws(GraftError) {
        let (inputs, units) = (weights.shape[0], weights.shape[1])
        guard input.tensor.shape.last == inputs, units > 0 else {
            throw GraftError(
                .format, "its weights have the shape \(weights.shape), its input \(input.tensor.shape.batchDescription)"
            )
        }
        var weights = weights
        if case .flattened(let image) = input.layout {
            let parts = Tensor(weights.scalars, shape: [image[2], image[0], image[1], units])
            weights = Tensor(parts.scalars(permutedBy: [1, 2, 0, 3]), shape: weights.shape)
        }
        let layer = Dense(units, useBias: bias != nil, name: name(of: node))
        let result = try call(layer, [input.tensor])
        try set(layer, [weights, bias.map { Tensor($0, shape: [$0.count]) }])
        set(node, Value(tensor: result))
    }

    private mutating func addProduct(_ node: ONNXContent.Node) throws(GraftError) {
        guard let first = name(node, 0), constants[first] == nil else {
            throw GraftError(
                .format, "its first input is a constant; Graft reads products of values with constants behind them")
        }
        var input = try value(first)
        guard let second = name(node, 1), let weights = constants[second] else {
            let (left, right) = (
                try plain(input, first + "_order"), try plain(self.input(node, 1), node.inputs[1] + "_order")
            )
            guard left.rank == right.rank, left.rank > 2 else {
                throw GraftError(
                    .format,
                    "it multiplies values of \(left.rank) and \(right.rank) axes; Graft reads equal ones from 3 on")
            }
            let product = try operation("Matmul", [.tensor(left.tensor), .tensor(right.tensor)], name: name(of: node))
            return set(node, Value(tensor: product))
        }
        guard weights.dimensions.count == 2, weights.count > 0 else {
            throw GraftError(
                .format, "its weights have the shape \(weights.dimensions.prefix(8)); Graft reads two axes")
        }
        try budget.take(weights.count)
        if input.layout == .channelsLast { input = try plain(input, first + "_order") }
        let numbers = Tensor(weights.floats, shape: Shape(weights.dimensions))
        // A bias behind it belongs to the layer, as it does in Keras.
        guard let (index, next) = onlyReader(of: node.outputs[0]), next.type == "Add",
            let other = next.inputs.first(where: { $0 != node.outputs[0] }), let bias = constants[other],
            bias.count == weights.dimensions[1], bias.dimensions.last == bias.count
        else { return try addDense(node, input, numbers, bias: nil) }
        done.insert(index)
        try addDense(next, input, numbers, bias: bias.floats)
    }
}
