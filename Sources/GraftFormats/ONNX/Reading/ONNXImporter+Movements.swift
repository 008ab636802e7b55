import GraftModel

extension ONNXImporter {
    /// What gives numbers other places or another shape.
    static let movements: [String: Rule] = [
        "Reshape": { (importer, node) throws(GraftError) in
            guard let target = try importer.constant(node, 1) else { throw GraftError(.format, "its shape is missing") }
            try importer.reshape(node, to: target.integers)
        },
        "Flatten": { (importer, node) throws(GraftError) in
            guard node.integer("axis") ?? 1 == 1 else {
                throw GraftError(.format, "its axis is \(node.integer("axis") ?? 1); Graft keeps the batch in front: 1")
            }
            try importer.reshape(node, to: [batch, -1])
        },
        "Squeeze": { (importer, node) throws(GraftError) in try importer.addSqueeze(node) },
        "Unsqueeze": { (importer, node) throws(GraftError) in
            let value = try importer.input(node, 0)
            guard let axes = try importer.axes(node, input: 1) else {
                throw GraftError(.format, "its axes are missing")
            }
            let rank = value.rank + axes.count
            var sizes = [batch] + value.sizes
            for axis in axes.map({ $0 < 0 ? $0 + rank : $0 }).sorted() {
                guard (1...sizes.count).contains(axis) else {
                    throw GraftError(.format, "its axis \(axis) is none of \(rank) behind the batch")
                }
                sizes.insert(1, at: axis)
            }
            try importer.reshape(node, to: sizes)
        },
        "Transpose": { (importer, node) throws(GraftError) in try importer.addTransposition(node) },
        "Expand": { (importer, node) throws(GraftError) in
            let value = try importer.input(node, 0)
            guard let target = try importer.constant(node, 1)?.integers else {
                throw GraftError(.format, "its shape is missing")
            }
            let sizes = [batch] + value.sizes
            let fits = zip(target.reversed(), sizes.reversed()).allSatisfy { $0 == 1 || $0 == $1 }
            guard target.count <= sizes.count, fits else {
                throw GraftError(
                    .format, "it spreads a value over \(target.prefix(8)); Graft reads this of constants alone")
            }
            let result = try importer.call(Identity(name: importer.name(of: node)), [value.tensor])
            importer.set(node, Value(tensor: result, layout: value.layout))
        },
        "Concat": { (importer, node) throws(GraftError) in try importer.addConcatenation(node) },
        "Split": { (importer, node) throws(GraftError) in try importer.addSplit(node) },
        "Slice": { (importer, node) throws(GraftError) in try importer.addSlice(node) },
        "Gather": { (importer, node) throws(GraftError) in try importer.addGather(node) },
        "Pad": { (importer, node) throws(GraftError) in try importer.addPadding(node) },
        "Resize": { (importer, node) throws(GraftError) in try importer.addResize(node, scales: 2, sizes: 3) },
        "Upsample": { (importer, node) throws(GraftError) in try importer.addResize(node, scales: 1, sizes: nil) },
        "DepthToSpace": { (importer, node) throws(GraftError) in
            throw GraftError(
                .format, "the operator is not read; export the model with Resize or ConvTranspose in its place")
        },
    ]

    /// The sizes without the batch that a target means: −1 for what is left, 0 for the size that was there.
    private func settled(_ target: [Int], _ node: ONNXContent.Node, _ value: Value) throws(GraftError) -> [Int] {
        let before = [Self.batch] + value.sizes
        let keepsZeros = node.integer("allowzero") ?? 0 == 0
        var sizes = target.enumerated().map { $1 == 0 && keepsZeros && $0 < before.count ? before[$0] : $1 }
        let count = value.sizes.reduce(1, *)
        let known = sizes.dropFirst().filter { $0 != -1 }
        guard !sizes.isEmpty, known.allSatisfy({ $0 > 0 && $0 < Self.batch }), sizes.filter({ $0 == -1 }).count <= 1,
            let product = Self.product(known)
        else { throw refusal(of: target) }
        if sizes[0] == -1 || sizes[0] == declaredBatch { sizes[0] = product == count ? Self.batch : sizes[0] }
        if let open = sizes.dropFirst().firstIndex(of: -1), sizes[0] == declaredBatch || sizes[0] == Self.batch {
            guard count.isMultiple(of: product) else { throw refusal(of: target) }
            sizes[open] = count / product
            sizes[0] = Self.batch
        }
        guard sizes[0] == Self.batch, Self.product(Array(sizes.dropFirst())) == count else { throw refusal(of: target) }
        return Array(sizes.dropFirst())
    }

    private static func product(_ sizes: [Int]) -> Int? {
        var result = 1
        for size in sizes {
            let (product, isTooLarge) = result.multipliedReportingOverflow(by: size)
            guard !isTooLarge else { return nil }
            result = product
        }
        return result
    }

    private func refusal(of target: [Int]) -> GraftError {
        let shown = target.prefix(8).map { $0 == Self.batch ? "batch" : String($0) }.joined(separator: ", ")
        return GraftError(
            .format, "it reshapes to (\(shown)); Graft keeps the batch in front and its examples apart")
    }

    private mutating func reshape(_ node: ONNXContent.Node, to target: [Int]) throws(GraftError) {
        var value = try input(node, 0)
        let sizes = try settled(target, node, value)
        if sizes == value.sizes {
            let result = try call(Identity(name: name(of: node)), [value.tensor])
            return set(node, Value(tensor: result, layout: value.layout))
        }
        if value.layout == .channelsLast {
            let image = value.tensor.shape
            let isPoint = image[0] == 1 && image[1] == 1
            if sizes.count == 1, !isPoint, image.last > 1 {
                let result = try call(Flatten(name: name(of: node)), [value.tensor])
                return set(node, Value(tensor: result, layout: .flattened(image)))
            }
            // A single place or a single channel stands the same in both orders.
            if !isPoint, image.last > 1 { value = try plain(value, node.inputs[0] + "_order") }
        } else {
            value = try plain(value, node.inputs[0] + "_order")
        }
        let isImage = sizes.count == 3 && sizes[1] == 1 && sizes[2] == 1
        // Channels of a single place are an image of channels last again.
        let result = try call(Reshape(isImage ? [1, 1, sizes[0]] : sizes, name: name(of: node)), [value.tensor])
        set(node, Value(tensor: result, layout: isImage ? .channelsLast : .plain))
    }

    private mutating func addSqueeze(_ node: ONNXContent.Node) throws(GraftError) {
        let value = try input(node, 0)
        let sizes = [Self.batch] + value.sizes
        let axes =
            try axes(node, input: 1)?.map { $0 < 0 ? $0 + sizes.count : $0 } ?? sizes.indices.filter { sizes[$0] == 1 }
        guard axes.allSatisfy({ sizes.indices.contains($0) && sizes[$0] == 1 }) else {
            throw GraftError(.format, "its axes \(axes.prefix(8)) are not of size 1")
        }
        try reshape(node, to: sizes.indices.filter { !axes.contains($0) }.map { sizes[$0] })
    }

    private mutating func addTransposition(_ node: ONNXContent.Node) throws(GraftError) {
        let value = try input(node, 0)
        let axes = node.integers("perm") ?? Array((0..<value.rank).reversed())
        guard axes.sorted() == Array(0..<value.rank), axes[0] == 0 else {
            throw GraftError(.format, "its axes are \(axes.prefix(8)) of \(value.rank); Graft keeps the batch in front")
        }
        // Between the two orders of images nothing moves.
        if value.layout == .plain, axes == [0, 3, 1, 2] {
            let result = try call(Identity(name: name(of: node)), [value.tensor])
            return set(node, Value(tensor: result, layout: .channelsLast))
        }
        if value.layout == .channelsLast, axes == [0, 2, 3, 1] {
            return set(node, Value(tensor: try call(Identity(name: name(of: node)), [value.tensor])))
        }
        let order = try axes.map { (axis) throws(GraftError) in try position(axis, of: value) }
        let source = value.layout == .channelsLast ? value : try plain(value, node.inputs[0] + "_order")
        set(node, Value(tensor: try call(Permute(Array(order.dropFirst()), name: name(of: node)), [source.tensor])))
    }

    // MARK: Edges and sizes

    private mutating func addPadding(_ node: ONNXContent.Node) throws(GraftError) {
        try node.require("mode", oneOf: ["constant"])
        let value = try image(input(node, 0), node)
        guard let pads = try integers(node, "pads", input: 1) else {
            throw GraftError(.format, "its pads are missing")
        }
        let number = try number(node, "value", input: 2) ?? 0
        let axes = try constant(node, 3)?.integers ?? Array(0..<value.rank)
        guard pads.count == 2 * axes.count, pads.allSatisfy({ (0...Size2D.limit).contains($0) }) else {
            throw GraftError(.format, "its pads \(pads.prefix(8)) are not two for each axis, from 0 to \(Size2D.limit)")
        }
        var widths = [[Int]](repeating: [0, 0], count: value.rank)
        for (index, axis) in axes.enumerated() {
            widths[try position(axis, of: value)] = [pads[index], pads[index + axes.count]]
        }
        guard widths[0] == [0, 0] else { throw GraftError(.format, "it pads the batch") }
        let result: SymbolicTensor
        if value.layout == .channelsLast, number == 0, widths[3] == [0, 0] {
            let padding = EdgePadding(top: widths[1][0], bottom: widths[1][1], left: widths[2][0], right: widths[2][1])
            result = try call(ZeroPadding2D(padding: padding, name: name(of: node)), [value.tensor])
        } else {
            let arguments: [Argument] = [.tensor(value.tensor)] + (number == 0 ? [] : [.other(.double(number))])
            result = try operation(
                "Pad", arguments, ["pad_width": widths.configuration, "mode": "constant"], name: name(of: node))
        }
        set(node, Value(tensor: result, layout: value.layout))
    }

    private func factors(_ node: ONNXContent.Node, input position: Int) throws(GraftError) -> [Double]? {
        if let numbers = node.numbers("scales") { return numbers }
        return try constant(node, position)?.doubles
    }

    private mutating func addResize(_ node: ONNXContent.Node, scales: Int, sizes: Int?) throws(GraftError) {
        let value = try channelsLast(input(node, 0), node.inputs[0] + "_last")
        let image = value.tensor.shape
        let mode = node.text("mode") ?? "nearest"
        try node.require("mode", oneOf: ["nearest", "linear"])
        try node.require("antialias", 0)
        // Version 10 of the operators has the scales in second place.
        let place = node.inputs.count == 2 ? 1 : scales
        var target = image
        if let sizes, let wanted = try constant(node, sizes)?.integers, wanted.count == 4 {
            (target[0], target[1]) = (wanted[2], wanted[3])
        } else if let factors = try factors(node, input: place), factors.count == 4, factors[1] == 1,
            factors.allSatisfy({ $0 > 0 && $0 < 4096 })
        {
            target[0] = Int(Double(image[0]) * factors[2])
            target[1] = Int(Double(image[1]) * factors[3])
        } else {
            throw GraftError(.format, "its scales or sizes are no four numbers of images")
        }
        guard target.dimensions.allSatisfy({ (1...Size2D.limit).contains($0) }) else {
            throw GraftError(.format, "it makes images of \(target.dimensions.prefix(2))")
        }
        let coordinates =
            node.text("coordinate_transformation_mode") ?? (sizes == nil || scales == 1 ? "asymmetric" : "half_pixel")
        let isWhole = target[0].isMultiple(of: image[0]) && target[1].isMultiple(of: image[1])
        let isHalf = ["half_pixel", "pytorch_half_pixel"].contains(coordinates)
        let rounding = node.text("nearest_mode") ?? "round_prefer_floor"
        let repeats =
            isHalf ? rounding.hasPrefix("round") : coordinates == "asymmetric" && (sizes == nil || rounding == "floor")
        guard mode == "nearest" ? isWhole && repeats : isHalf else {
            throw GraftError(
                .format,
                "it resizes by \(mode) with \(coordinates) and \(rounding); Graft reads linear with half_pixel, and nearest by "
                    + "whole factors with asymmetric and floor")
        }
        let layer: Layer =
            mode == "nearest"
            ? UpSampling2D(size: Size2D(target[0] / image[0], target[1] / image[1]), name: name(of: node))
            : Resizing(height: target[0], width: target[1], name: name(of: node))
        set(node, Value(tensor: try call(layer, [value.tensor]), layout: .channelsLast))
    }
}

extension [[Int]] {
    /// As a list of lists.
    var configuration: Configuration { .array(map { .array($0.map { .int($0) }) }) }
}

extension ONNXContent.Node {
    fileprivate func numbers(_ name: String) -> [Double]? {
        if case .numbers(let numbers)? = attributes[name] { numbers.map(Double.init) } else { nil }
    }
}
