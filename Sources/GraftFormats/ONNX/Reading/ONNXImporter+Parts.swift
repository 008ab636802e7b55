import GraftModel

/// What takes parts of values, and puts values together.
extension ONNXImporter {
    mutating func addConcatenation(_ node: ONNXContent.Node) throws(GraftError) {
        let axis = node.integer("axis") ?? 1
        let names = node.inputs
        guard names.allSatisfy({ constants[$0] == nil }) else { return try addConstantTokens(node, axis: axis) }
        var parts = try names.map { (name) throws(GraftError) in try value(name) }
        let isImage = parts.contains { $0.layout == .channelsLast }
        for index in parts.indices {
            parts[index] =
                try isImage
                ? channelsLast(parts[index], names[index] + "_last") : plain(parts[index], names[index] + "_order")
        }
        let position = try position(axis, of: parts[0])
        guard position > 0 else { throw GraftError(.format, "it joins examples along the batch axis") }
        let layer: Layer =
            parts.count == 1 ? Identity(name: name(of: node)) : Concatenate(axis: position, name: name(of: node))
        set(node, Value(tensor: try call(layer, parts.map(\.tensor)), layout: isImage ? .channelsLast : .plain))
    }

    /// A constant before or behind a value, such as the class token of a transformer: the value with zeros in its place, and the
    /// constant added to them.
    mutating func addConstantTokens(_ node: ONNXContent.Node, axis: Int) throws(GraftError) {
        guard node.inputs.count == 2, let place = node.inputs.firstIndex(where: { constants[$0] != nil }),
            let token = constants[node.inputs[place]]
        else { throw GraftError(.format, "it joins constants with values; Graft reads one of each") }
        let other = node.inputs[1 - place]
        let value = try plain(value(other), other + "_order")
        let position = try position(axis, of: value)
        var sizes = token.dimensions
        guard position > 0, sizes.count == value.rank,
            sizes[0] == 1 || sizes[0] == Self.batch || sizes[0] == declaredBatch,
            token.count == sizes.dropFirst().reduce(1, *)
        else { throw GraftError(.format, "its constant of the shape \(sizes.prefix(8)) does not fit the value") }
        sizes[0] = 1
        try budget.take(token.count)
        let (own, count) = (sizes[position], value.tensor.shape.dimensions[position - 1])
        var widths = [[Int]](repeating: [0, 0], count: value.rank)
        widths[position][place] = own
        let padded = try operation(
            "Pad", [.tensor(value.tensor)], ["pad_width": widths.configuration, "mode": "constant"],
            name: name(of: node, "_places"))
        // The constant's numbers, with zeros where the value's are.
        let (outer, inner) = (sizes[..<position].reduce(1, *), sizes[(position + 1)...].reduce(1, *))
        try budget.check([outer, own + count, inner])
        var pattern: [Float] = []
        let numbers = token.floats
        for part in 0..<outer {
            let zeros = [Float](repeating: 0, count: count * inner)
            let part = Array(numbers[part * own * inner..<(part + 1) * own * inner])
            pattern += place == 0 ? part + zeros : zeros + part
        }
        sizes[position] = own + count
        let result = try operation(
            "Add", [.tensor(padded), .other(array(pattern, sizes))], name: name(of: node))
        set(node, Value(tensor: result))
    }

    /// `value[…]` along one axis, from a place to another in steps.
    private mutating func part(
        _ value: Value, along position: Int, from start: Int, to stop: Int?, by step: Int = 1, name: String
    ) throws(GraftError) -> SymbolicTensor {
        func whole(_ start: Configuration, _ stop: Configuration, _ step: Configuration) -> Configuration {
            ["class_name": "__slice__", "config": ["start": start, "stop": stop, "step": step]]
        }
        let index = (0..<value.rank).map { axis in
            axis == position
                ? whole(.int(start), stop.map { .int($0) } ?? .null, .int(step)) : whole(.null, .null, .null)
        }
        return try operation("GetItem", [.tensor(value.tensor), .other(.array(index))], name: name)
    }

    mutating func addSplit(_ node: ONNXContent.Node) throws(GraftError) {
        let value = try image(input(node, 0), node)
        let position = try position(node.integer("axis") ?? 0, of: value)
        guard position > 0 else { throw GraftError(.format, "it splits the batch") }
        let size = value.tensor.shape.dimensions[position - 1]
        let count = node.outputs.count
        let even = (0..<count).map { min((size + count - 1) / count, max(size - $0 * ((size + count - 1) / count), 0)) }
        let sizes = try integers(node, "split", input: 1) ?? even
        guard sizes.count == count, sizes.allSatisfy({ (1...max(size, 1)).contains($0) }), sizes.reduce(0, +) == size
        else {
            throw GraftError(.format, "it splits \(size) into \(sizes.prefix(8)) for \(count) results")
        }
        var start = 0
        for (output, size) in sizes.enumerated() {
            let wish = node.outputs[output].isEmpty ? "\(node.outputs[0])_part" : node.outputs[output]
            let part = try part(value, along: position, from: start, to: start + size, name: unique(wish))
            set(node, Value(tensor: part, layout: value.layout), output: output)
            start += size
        }
    }

    /// A value whose axes stand in one of the two orders.
    mutating func image(_ value: Value, _ node: ONNXContent.Node) throws(GraftError) -> Value {
        value.layout == .channelsLast ? value : try plain(value, node.inputs[0] + "_order")
    }

    mutating func addSlice(_ node: ONNXContent.Node) throws(GraftError) {
        var value = try image(input(node, 0), node)
        guard let starts = try integers(node, "starts", input: 1),
            let stops = try integers(node, "ends", input: 2), starts.count == stops.count
        else { throw GraftError(.format, "its starts and ends are missing, or not as many") }
        let axes = try axes(node, input: 3) ?? Array(starts.indices)
        let steps = try constant(node, 4)?.integers ?? [Int](repeating: 1, count: starts.count)
        guard axes.count == starts.count, steps.count == starts.count, !axes.isEmpty else {
            throw GraftError(.format, "its axes or steps are not as many as its starts")
        }
        for (number, axis) in axes.enumerated() {
            let position = try position(axis, of: value)
            let isWhole = starts[number] == 0 && steps[number] == 1 && stops[number] >= Self.batch
            guard position > 0 || isWhole else { throw GraftError(.format, "it takes a part of the batch") }
            // Beyond the end is as good as the end.
            let limit = 1 << 30
            let stop: Int? = stops[number].magnitude > limit.magnitude ? nil : stops[number]
            let isLast = number == axes.count - 1
            let name = name(of: node, isLast ? "" : "_\(number)")
            let start = max(-limit, min(starts[number], limit))
            let tensor =
                try position == 0
                ? call(Identity(name: name), [value.tensor])
                : part(value, along: position, from: start, to: stop, by: steps[number], name: name)
            value = Value(tensor: tensor, layout: value.layout)
        }
        set(node, value)
    }

    mutating func addGather(_ node: ONNXContent.Node) throws(GraftError) {
        if let name = name(node, 0), let table = constants[name] { return try addEmbedding(node, table) }
        let value = try image(input(node, 0), node)
        guard let indices = try constant(node, 1), indices.count > 0 else {
            throw GraftError(.format, "its indices are missing")
        }
        let axis = node.integer("axis") ?? 0
        let position = try position(axis, of: value)
        guard position > 0 else { throw GraftError(.format, "it picks examples of the batch") }
        let size = value.tensor.shape.dimensions[position - 1]
        let places = indices.integers.map { $0 < 0 ? $0 + size : $0 }
        guard places.allSatisfy({ (0..<size).contains($0) }), indices.dimensions.count <= 1 else {
            throw GraftError(.format, "its indices are outside of \(size), or have several axes")
        }
        let step = places.count > 1 ? places[1] - places[0] : 1
        guard step != 0, zip(places, places.dropFirst()).allSatisfy({ $1 - $0 == step }) else {
            throw GraftError(.format, "its indices are in no even steps; Graft reads those")
        }
        let last = places[places.count - 1] + (step > 0 ? 1 : -1)
        let isScalar = indices.dimensions.isEmpty
        let part = try part(
            value, along: position, from: places[0], to: last < 0 ? nil : last, by: step,
            name: name(of: node, isScalar ? "_part" : ""))
        let kept = Value(tensor: part, layout: value.layout)
        guard isScalar else { return set(node, kept) }
        // The axis goes.
        var sizes = kept.sizes
        sizes.remove(at: (axis < 0 ? axis + value.rank : axis) - 1)
        let turned = try plain(kept, node.outputs[0] + "_order")
        set(node, Value(tensor: try call(Reshape(sizes, name: name(of: node)), [turned.tensor])))
    }

    mutating func addEmbedding(_ node: ONNXContent.Node, _ table: ONNXConstant) throws(GraftError) {
        let ids = try input(node, 1)
        guard table.dimensions.count == 2, table.count > 0, node.integer("axis") ?? 0 == 0, ids.layout == .plain else {
            throw GraftError(
                .format, "it looks up rows of an array of the shape \(table.dimensions.prefix(8)); Graft reads two axes"
            )
        }
        try budget.take(table.count)
        let layer = Embedding(inputDim: table.dimensions[0], outputDim: table.dimensions[1], name: name(of: node))
        let weights = Tensor(table.floats, shape: Shape(table.dimensions))
        set(node, Value(tensor: try call(layer, [ids.tensor], weights: [weights])))
    }
}
