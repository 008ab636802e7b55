import GraftModel

extension ONNXImporter {
    mutating func addBatchNormalization(_ node: ONNXContent.Node) throws(GraftError) {
        try node.require("training_mode", 0)
        var value = try input(node, 0)
        // Its channels are the second axis, which is the last one of two.
        if value.rank == 4 { value = try channelsLast(value, node.inputs[0] + "_last") }
        let weights = try (1...4).map { (position) throws(GraftError) -> Tensor in
            guard let constant = try constant(node, position) else {
                throw GraftError(.format, "its input \(position + 1) is missing")
            }
            return vector(constant)
        }
        let layer = BatchNormalization(
            axis: value.rank == 3 ? 1 : -1, momentum: node.number("momentum") ?? 0.9,
            epsilon: node.number("epsilon") ?? 1e-5, name: name(of: node))
        let result = try call(layer, [value.tensor], weights: weights)
        set(node, Value(tensor: result, layout: value.layout))
    }

    mutating func addLayerNormalization(_ node: ONNXContent.Node) throws(GraftError) {
        let value = try plain(input(node, 0), node.inputs[0] + "_order")
        let axis = node.integer("axis") ?? -1
        guard axis == -1 || axis == value.rank - 1 else {
            throw GraftError(.format, "its axis is \(axis); Graft reads the last one alone")
        }
        let (scale, bias) = (try constant(node, 1), try constant(node, 2))
        let layer = LayerNormalization(
            epsilon: node.number("epsilon") ?? 1e-5, center: bias != nil, scale: scale != nil, name: name(of: node))
        let result = try call(layer, [value.tensor], weights: [scale, bias].compactMap { $0.map(vector) })
        set(node, Value(tensor: result))
    }

    /// - Parameter groups: −1 for one of each channel.
    mutating func addGroupNormalization(_ node: ONNXContent.Node, groups: Int) throws(GraftError) {
        let value = try channelsLast(input(node, 0), node.inputs[0] + "_last")
        let channels = value.tensor.shape.last
        guard let scale = try constant(node, 1), let bias = try constant(node, 2) else {
            throw GraftError(.format, "its scale or its bias is missing")
        }
        let layer = GroupNormalization(
            groups, epsilon: node.number("epsilon") ?? 1e-5, name: name(of: node))
        let weights = try [scale, bias].map { (constant) throws(GraftError) -> Tensor in
            // Before version 21 of the operators there is a number for each group.
            guard constant.count > 0, channels.isMultiple(of: constant.count) else {
                throw GraftError(.format, "its \(constant.count) numbers do not fit \(channels) channels")
            }
            let repeats = channels / constant.count
            return Tensor(constant.floats.flatMap { [Float](repeating: $0, count: repeats) }, shape: [channels])
        }
        let result = try call(layer, [value.tensor], weights: weights)
        set(node, Value(tensor: result, layout: .channelsLast))
    }

    /// `x / (bias + alpha / size · Σ x²)^beta`, the sum over neighbouring channels: a 1 × 1 convolution of constants.
    mutating func addLocalNormalization(_ node: ONNXContent.Node) throws(GraftError) {
        let value = try channelsLast(input(node, 0), node.inputs[0] + "_last")
        let channels = value.tensor.shape.last
        guard let size = node.integer("size"), (1...Size2D.limit).contains(size) else {
            throw GraftError(.format, "its attribute size is missing, or no number of channels")
        }
        try budget.check([channels, channels])
        let factor = Float((node.number("alpha") ?? 1e-4) / Double(size))
        let (before, after) = ((size - 1) / 2, size / 2)
        var band = [Float](repeating: 0, count: channels * channels)
        for output in 0..<channels {
            for input in max(output - before, 0)...min(output + after, channels - 1) {
                band[input * channels + output] = factor
            }
        }
        let squares = try operation("Square", [.tensor(value.tensor)], name: name(of: node, "_squares"))
        let layer = Conv2D(channels, kernelSize: 1, name: name(of: node, "_sum"))
        let offset = Tensor(repeating: Float(node.number("bias") ?? 1), shape: [channels])
        let sum = try call(layer, [squares], weights: [Tensor(band, shape: [1, 1, channels, channels]), offset])
        layer.freezePermanently()
        let power = try operation(
            "Power", [.tensor(sum), .other(.double(-(node.number("beta") ?? 0.75)))], name: name(of: node, "_scale"))
        let result = try call(Multiply(name: name(of: node)), [value.tensor, power])
        set(node, Value(tensor: result, layout: .channelsLast))
    }
}
