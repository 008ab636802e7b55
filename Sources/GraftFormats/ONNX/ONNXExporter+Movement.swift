import GraftGraph
import GraftSystem

/// The same numbers in other places.
extension ONNXExporter {
    mutating func addMovement(_ id: ValueID, _ node: Graph.Node, _ movement: Movement) throws(GraftError) {
        let operand = node.operands[0]
        switch movement {
        case .cast(let type):
            let kind: ONNXValue.Kind = type == .int32 ? .int32 : .float32
            setPlain(id, cast(try plain(operand, label: node.label), to: kind, node.label))
        case .broadcast:
            let shape = try shapeVector(of: id, node)
            setPlain(id, self.node("Expand", [try plain(operand, label: node.label), shape], label: node.label))
        case .reshape: try addReshape(id, node)
        case .pad(let before, let after):
            let isFirst = isChannelsFirst(operand)
            let pads = integers(
                inOrder(before, isFirst) + inOrder(after, isFirst), label: node.label, "pads")
            let source = try isFirst ? channelsFirst(operand, label: node.label) : plain(operand, label: node.label)
            set(id, isFirst, self.node("Pad", [source, pads], label: node.label))
        case .slice(let start, let shape): try addSlice(id, node, start, shape)
        case .concatenation(let axis):
            let isFirst = node.shape.rank == 4 && node.operands.contains { isChannelsFirst($0) }
            var sources: [String] = []
            for part in node.operands {
                try sources.append(isFirst ? channelsFirst(part, label: node.label) : plain(part, label: node.label))
            }
            let place = isFirst ? Self.channelsFirstAxis(axis) : axis
            set(id, isFirst, self.node("Concat", sources, label: node.label, [("axis", .int(place))]))
        }
    }

    private mutating func set(_ id: ValueID, _ isChannelsFirst: Bool, _ name: String) {
        if isChannelsFirst { setChannelsFirst(id, name) } else { setPlain(id, name) }
    }

    private func inOrder(_ sizes: [Int], _ isChannelsFirst: Bool) -> [Int] {
        isChannelsFirst ? Self.toChannelsFirst.map { sizes[$0] } : sizes
    }

    private mutating func addReshape(_ id: ValueID, _ node: Graph.Node) throws(GraftError) {
        let operand = node.operands[0]
        let from = graph.shape(of: operand)
        // One pixel has its channels in the same place in both orders.
        let isPixel = from.rank == 4 && from[1] == 1 && from[2] == 1 && isChannelsFirst(operand)
        let source = try isPixel ? channelsFirst(operand, label: node.label) : plain(operand, label: node.label)
        let shape = try shapeVector(of: id, node)
        setPlain(id, self.node("Reshape", [source, shape], label: node.label))
    }

    private mutating func addSlice(
        _ id: ValueID, _ node: Graph.Node, _ start: [Int], _ shape: Shape
    ) throws(GraftError) {
        let operand = node.operands[0]
        let isFirst = isChannelsFirst(operand)
        let whole = graph.shape(of: operand)
        let axes = shape.dimensions.indices.filter { start[$0] != 0 || shape[$0] != whole[$0] }
        guard axes.allSatisfy({ if case .fixed = sizes(of: operand)[$0] { true } else { false } }) else {
            throw refusal(of: node)
        }
        let source = try isFirst ? channelsFirst(operand, label: node.label) : plain(operand, label: node.label)
        let inputs = [
            source, integers(axes.map { start[$0] }, label: node.label, "starts"),
            integers(axes.map { start[$0] + shape[$0] }, label: node.label, "ends"),
            integers(axes.map { isFirst ? Self.channelsFirstAxis($0) : $0 }, label: node.label, "axes"),
        ]
        set(id, isFirst, self.node("Slice", inputs, label: node.label))
    }

    /// The sizes of a value as `Reshape` and `Expand` take them. One that is the batch's is -1 for a reshape; a broadcast along
    /// the batch asks the input how large it is.
    private mutating func shapeVector(of id: ValueID, _ node: Graph.Node) throws(GraftError) -> String {
        let sizes = sizes(of: id)
        let batches = sizes.filter { if case .batch = $0 { true } else { false } }
        if case .movement(.broadcast) = node.operation {
            guard batches.contains(where: { $0 != .batch(1) }) == false else { throw refusal(of: node) }
            let own = self.sizes(of: node.operands[0])
            let offset = sizes.count - own.count
            let isSpread = sizes.indices.contains { axis in
                sizes[axis] == .batch(1) && (axis < offset || own[axis - offset] != .batch(1))
            }
            // 1 leaves an axis as it is.
            guard isSpread else { return integers(sizes.map { $0.fixedSize ?? 1 }, label: node.label, "shape") }
            return batchShape(sizes, label: node.label)
        }
        guard batches.count <= 1 else { throw refusal(of: node) }
        return integers(sizes.map { $0.fixedSize ?? -1 }, label: node.label, "shape")
    }

    /// A vector of sizes with that of the first input's batch.
    private mutating func batchShape(_ sizes: [Size], label: String) -> String {
        let whole = node("Shape", [model.inputs[0].name], label: label, [("start", .int(0)), ("end", .int(1))])
        var parts: [String] = []
        for size in sizes { parts.append(size.fixedSize.map { integers([$0], label: label, "size") } ?? whole) }
        return node("Concat", parts, label: label, [("axis", .int(0))])
    }

    // MARK: Operations with files of their own

    mutating func addCustom(_ id: ValueID, _ node: Graph.Node, _ rule: any OperationRule) throws(GraftError) {
        switch rule {
        case let gather as Gather:
            let source = try plain(node.operands[0], label: node.label)
            let indices = try plain(node.operands[1], label: node.label)
            let isInteger = graph[node.operands[1]].elementType == .int32
            let whole = isInteger ? indices : cast(indices, to: .int64, node.label)
            setPlain(id, self.node("Gather", [source, whole], label: node.label, [("axis", .int(gather.axis))]))
        case let permutation as Permutation:
            let source = try plain(node.operands[0], label: node.label)
            setPlain(id, self.node("Transpose", [source], label: node.label, [("perm", .ints(permutation.axes))]))
        case let product as BatchedMatrixProduct: try addBatchedProduct(id, node, product)
        case let resize as Resize: try addResize(id, node, resize)
        default: throw refusal(of: node)
        }
    }

    private mutating func addBatchedProduct(
        _ id: ValueID, _ node: Graph.Node, _ product: BatchedMatrixProduct
    ) throws(GraftError) {
        var operands: [String] = []
        for (operand, isTransposed) in zip(node.operands, [product.transposeLeft, product.transposeRight]) {
            var name = try plain(operand, label: node.label)
            if isTransposed {
                let rank = graph.shape(of: operand).rank
                let axes = Array(0..<rank - 2) + [rank - 1, rank - 2]
                name = self.node("Transpose", [name], label: node.label, [("perm", .ints(axes))])
            }
            operands.append(name)
        }
        setPlain(id, self.node("MatMul", operands, label: node.label))
    }

    /// Pixels are squares in both.
    private mutating func addResize(_ id: ValueID, _ node: Graph.Node, _ resize: Resize) throws(GraftError) {
        var attributes: [(name: String, value: ONNXNode.Attribute)] = [
            ("mode", .text(resize.interpolation == .nearest ? "nearest" : "linear")),
            (
                "coordinate_transformation_mode",
                .text(resize.interpolation == .bilinearAlignedCorners ? "align_corners" : "half_pixel")
            ),
        ]
        switch resize.interpolation {
        // ⌊(i + ½) · s⌋ is (i + ½) · s − ½ rounded with halves upwards.
        case .nearest: attributes.append(("nearest_mode", .text("round_prefer_ceil")))
        case .bilinearAntialiased: attributes += [("antialias", .int(1)), ("exclude_outside", .int(1))]
        case .bilinear, .bilinearAlignedCorners: break
        }
        let source = try channelsFirst(node.operands[0], label: node.label)
        // Sizes, as scales need not come to the same number of pixels; the batch and the channels have those that they have.
        let outer = self.node("Shape", [source], label: node.label, [("start", .int(0)), ("end", .int(2))])
        let inner = integers([node.shape[1], node.shape[2]], label: node.label, "size")
        let sizes = self.node("Concat", [outer, inner], label: node.label, [("axis", .int(0))])
        setChannelsFirst(id, self.node("Resize", [source, "", "", sizes], label: node.label, attributes))
    }
}

extension ONNXExporter.Size {
    /// The number; `nil` for the batch's.
    fileprivate var fixedSize: Int? { if case .fixed(let size) = self { size } else { nil } }
}
