import GraftGraph
import GraftSystem

extension ONNXExporter {
    /// Adds the operators of a value.
    mutating func add(_ id: ValueID) throws(GraftError) {
        let node = graph[id]
        switch node.operation {
        case .convolution(let operation): try addConvolution(id, node, operation)
        case .product(let product): try addProduct(id, node, product)
        case .pooling(let pooling): try addPooling(id, node, pooling)
        case .elementwise(let operation): try addElementwise(id, node, operation)
        case .reduction(let reduction): try addReduction(id, node, reduction)
        case .movement(let movement): try addMovement(id, node, movement)
        case .softmax(let softmax):
            let source = try plain(node.operands[0], label: node.label)
            let type = softmax == .softmax ? "Softmax" : "LogSoftmax"
            setPlain(id, self.node(type, [source], label: node.label, [("axis", .int(-1))]))
        case .custom(let custom): try addCustom(id, node, custom.rule)
        case .leaf, .random: throw refusal(of: node)
        }
    }

    func refusal(of node: Graph.Node) -> GraftError {
        GraftError(
            .format,
            "layer \(node.label): its operation \(node.operation.name) cannot be written as ONNX; leave the layer out, or export "
                + "the model up to the layer before it")
    }

    // MARK: Convolutions and products

    /// ONNX's kernel has the filters first: HWIO becomes OIHW. A transposed convolution's is that of the convolution whose
    /// gradient it is.
    private mutating func addConvolution(
        _ id: ValueID, _ node: Graph.Node, _ operation: ConvolutionOperation
    ) throws(GraftError) {
        let (convolution, epilogue): (Convolution, Epilogue)
        var attributes: [(name: String, value: ONNXNode.Attribute)] = []
        let kernelShape = graph.shape(of: node.operands[1])
        switch operation {
        case .forward(let forward, let own): (convolution, epilogue) = (forward, own)
        case .inputGradient(let forward, let input):
            (convolution, epilogue) = (forward, .none)
            let source = graph.shape(of: node.operands[0])
            attributes.append(
                ("output_padding", .ints(Self.outputPadding(forward, kernelShape, source, result: input))))
        case .kernelGradient: throw refusal(of: node)
        }
        let kernel: String
        if isConstant(node.operands[1]) {
            let tensor = try constant(node.operands[1])
            kernel = floats(
                tensor.scalars(permutedBy: [3, 2, 0, 1]), [3, 2, 0, 1].map { tensor.shape[$0] }, label: node.label,
                "kernel")
        } else {
            kernel = try self.node(
                "Transpose", [plain(node.operands[1], label: node.label)], label: node.label,
                [("perm", .ints([3, 2, 0, 1]))])
        }
        var inputs = [try channelsFirst(node.operands[0], label: node.label), kernel]
        if epilogue.bias { inputs.append(try plain(node.operands[2], label: node.label)) }
        attributes += [
            ("kernel_shape", .ints([kernelShape[0], kernelShape[1]])), ("strides", .ints(convolution.strides.list)),
            ("dilations", .ints(convolution.dilation.list)), ("pads", .ints(convolution.padding.list)),
            ("group", .int(convolution.groups)),
        ]
        let isForward = if case .forward = operation { true } else { false }
        var result = self.node(isForward ? "Conv" : "ConvTranspose", inputs, label: node.label, attributes)
        if epilogue.addend, let addend = node.operands.last {
            result = try self.node("Add", [result, channelsFirst(addend, label: node.label)], label: node.label)
        }
        setChannelsFirst(id, activated(result, epilogue.activation, label: node.label))
    }

    /// Rows and columns below and on the right that no window of the convolution began at.
    private static func outputPadding(
        _ convolution: Convolution, _ kernel: Shape, _ source: Shape, result: Shape
    ) -> [Int] {
        let padding = convolution.padding
        func rest(_ axis: Int, _ stride: Int, _ dilation: Int, _ around: Int) -> Int {
            result[axis] + around - ((source[axis] - 1) * stride + dilation * (kernel[axis - 1] - 1) + 1)
        }
        return [
            rest(1, convolution.strides.height, convolution.dilation.height, padding.top + padding.bottom),
            rest(2, convolution.strides.width, convolution.dilation.width, padding.left + padding.right),
        ]
    }

    private mutating func addProduct(_ id: ValueID, _ node: Graph.Node, _ product: MatrixProduct) throws(GraftError) {
        var inputs: [String] = []
        for operand in node.operands.prefix(product.epilogue.bias ? 3 : 2) {
            try inputs.append(plain(operand, label: node.label))
        }
        let flags: [(name: String, value: ONNXNode.Attribute)] = [
            ("transA", .int(product.transposeLeft ? 1 : 0)), ("transB", .int(product.transposeRight ? 1 : 0)),
        ]
        var result = self.node("Gemm", inputs, label: node.label, flags)
        if product.epilogue.addend, let addend = node.operands.last {
            result = try self.node("Add", [result, plain(addend, label: node.label)], label: node.label)
        }
        setPlain(id, activated(result, product.epilogue.activation, label: node.label))
    }

    private mutating func activated(_ value: String, _ activation: FusedActivation?, label: String) -> String {
        switch activation {
        case nil: value
        case .relu: node("Relu", [value], label: label)
        case .sigmoid: node("Sigmoid", [value], label: label)
        case .tanh: node("Tanh", [value], label: label)
        case .relu6:
            node(
                "Clip",
                [value, floats([0], [], label: label, "least"), floats([6], [], label: label, "most")], label: label)
        }
    }

    private mutating func addPooling(_ id: ValueID, _ node: Graph.Node, _ pooling: Pooling) throws(GraftError) {
        let (type, window): (String, Window)
        switch pooling {
        case .maxPooling(let own): (type, window) = ("MaxPool", own)
        case .averagePooling(let own): (type, window) = ("AveragePool", own)
        case .maxPoolingGradient, .averagePoolingGradient: throw refusal(of: node)
        }
        let source = try channelsFirst(node.operands[0], label: node.label)
        setChannelsFirst(
            id,
            self.node(
                type, [source], label: node.label,
                [
                    ("kernel_shape", .ints(window.size.list)), ("strides", .ints(window.strides.list)),
                    ("pads", .ints(window.padding.list)),
                ]))
    }

    // MARK: Reductions

    private mutating func addReduction(_ id: ValueID, _ node: Graph.Node, _ reduction: Reduction) throws(GraftError) {
        let type =
            switch reduction.function {
            case .sum: "ReduceSum"
            case .mean: "ReduceMean"
            case .maximum: "ReduceMax"
            }
        let operand = node.operands[0]
        let isFirst = isChannelsFirst(operand)
        let source = try isFirst ? channelsFirst(operand, label: node.label) : plain(operand, label: node.label)
        let axes = integers(
            reduction.axes.map { isFirst ? Self.channelsFirstAxis($0) : $0 }, label: node.label, "axes")
        let result = self.node(type, [source, axes], label: node.label, [("keepdims", .int(1))])
        if isFirst { setChannelsFirst(id, result) } else { setPlain(id, result) }
    }

    /// Where an axis of NHWC is in NCHW.
    static func channelsFirstAxis(_ axis: Int) -> Int { toChannelsFirst.firstIndex(of: axis) ?? axis }
}

extension Size2D {
    fileprivate var list: [Int] { [height, width] }
}

extension EdgePadding {
    /// ONNX has what stands before both axes, then what stands behind them.
    fileprivate var list: [Int] { [top, left, bottom, right] }
}
