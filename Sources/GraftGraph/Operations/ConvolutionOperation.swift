/// A convolution and its gradients: activations NHWC, kernels HWIO.
public enum ConvolutionOperation: Hashable, Sendable {
    /// `input, kernel, bias?, addend?`. Depthwise where `groups` equals the input's channels.
    case forward(Convolution, Epilogue)
    /// `outputGradient, kernel`: the gradient with respect to the input, whose shape is given.
    case inputGradient(Convolution, input: Shape)
    /// `input, outputGradient`: the gradient with respect to the kernel, whose shape is given.
    case kernelGradient(Convolution, kernel: Shape)
}

/// How a convolution walks over its input.
public struct Convolution: Hashable, Sendable {
    /// The step between outputs.
    public var strides: Size2D
    /// The distance between the kernel's elements; 1 is a plain convolution.
    public var dilation: Size2D
    /// Zeros around the input.
    public var padding: EdgePadding
    /// The number of independent convolutions the channels are divided into.
    public var groups: Int
    /// A convolution with these attributes.
    public init(
        strides: Size2D = Size2D(1), dilation: Size2D = Size2D(1), padding: EdgePadding = .none, groups: Int = 1
    ) {
        (self.strides, self.dilation, self.padding, self.groups) = (strides, dilation, padding, groups)
    }
}

extension ConvolutionOperation: OperationRule {
    package var name: String {
        switch self {
        case .forward: "convolution"
        case .inputGradient: "convolutionInputGradient"
        case .kernelGradient: "convolutionKernelGradient"
        }
    }

    package var operandCount: Int? { if case .forward(_, let epilogue) = self { 2 + epilogue.operandCount } else { 2 } }

    package var attributeShapes: [Shape] {
        switch self {
        case .forward: []
        case .inputGradient(_, let shape), .kernelGradient(_, let shape): [shape]
        }
    }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        switch self {
        case .forward(let convolution, let epilogue):
            let result = try convolution.resultShape(input: operands[0], kernel: operands[1])
            return try epilogue.checked(operands.dropFirst(2), result: result)
        case .inputGradient(let convolution, let input):
            let expected = try convolution.resultShape(input: input, kernel: operands[1])
            return try require(operands[0], equals: expected, giving: input)
        case .kernelGradient(let convolution, let kernel):
            let expected = try convolution.resultShape(input: operands[0], kernel: kernel)
            return try require(operands[1], equals: expected, giving: kernel)
        }
    }

    package var precision: PrecisionRule {
        if case .kernelGradient = self { .convolution(rounds: false) } else { .convolution(rounds: true) }
    }

    /// All three are linear in each operand, and the gradients of one are the others.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        let (left, right, gradient) = (step.operand(0), step.operand(1), step.gradient)
        let own = graph.shape(of: step.operand(position))
        switch self {
        case .forward(let convolution, .none):
            return position == 0
                ? try graph.add(.convolution(.inputGradient(convolution, input: own)), [gradient, right])
                : try graph.add(.convolution(.kernelGradient(convolution, kernel: own)), [left, gradient])
        case .forward: throw step.refusal("is already fused; differentiate before fusing")
        case .inputGradient(let convolution, _):
            return position == 0
                ? try graph.convolution(gradient, kernel: right, convolution)
                : try graph.add(.convolution(.kernelGradient(convolution, kernel: own)), [gradient, left])
        case .kernelGradient(let convolution, _):
            return position == 0
                ? try graph.add(.convolution(.inputGradient(convolution, input: own)), [right, gradient])
                : try graph.convolution(left, kernel: gradient, convolution)
        }
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        switch self {
        case .forward(let convolution, let epilogue):
            epilogue.applied(to: convolution.forward(operands[0], operands[1], result: result), operands.dropFirst(2))
        case .inputGradient(let convolution, let input):
            convolution.inputGradient(operands[0], operands[1], input: input)
        case .kernelGradient(let convolution, let kernel):
            convolution.kernelGradient(operands[0], operands[1], kernel: kernel)
        }
    }

    package var isProduct: Bool { true }

    package func flopCount(of operands: [Shape], result: Shape) -> Int {
        guard operands.count > 1 else { return 0 }
        return switch self {
        case .forward: 2 * result.elementCount * operands[1].dimensions.dropLast().reduce(1, *)
        case .inputGradient: 2 * operands[0].elementCount * operands[1].dimensions.dropLast().reduce(1, *)
        case .kernelGradient(_, let kernel): 2 * operands[1].elementCount * kernel.dimensions.dropLast().reduce(1, *)
        }
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool {
        if case .kernelGradient = self { return false }
        return operands[0].isPerExample && !operands[1].isPerExample
            && operands.dropFirst(2).allSatisfy { $0.matches(result) }
    }
}

extension ConvolutionOperation: CustomStringConvertible {
    /// With all attributes, as names of features in the cache have them.
    public var description: String {
        switch self {
        case .forward(let convolution, let epilogue):
            "\(name)(\(String(reflecting: convolution)), \(String(reflecting: epilogue)))"
        case .inputGradient(let convolution, let shape):
            "\(name)(\(String(reflecting: convolution)), input: \(shape))"
        case .kernelGradient(let convolution, let shape):
            "\(name)(\(String(reflecting: convolution)), kernel: \(shape))"
        }
    }
}

extension Graph {
    /// A convolution.
    ///
    /// - Parameters:
    ///   - input: activations, NHWC.
    ///   - kernel: HWIO, where I is the input's channels divided by the groups. Depthwise: I = 1 and as many groups as
    ///     channels.
    ///   - convolution: strides, dilation, padding, groups.
    /// - Returns: NHWC, see ``Convolution/resultShape(input:kernel:)``.
    public mutating func convolution(
        _ input: ValueID, kernel: ValueID, _ convolution: Convolution = Convolution()
    ) throws(GraftError) -> ValueID {
        try add(.convolution(.forward(convolution, .none)), [input, kernel])
    }
}

extension Convolution {
    /// The shape of the result: NHWC, `floor((size + padding − dilation · (kernel − 1) − 1) / stride) + 1` per axis.
    public func resultShape(input: Shape, kernel: Shape) throws(GraftError) -> Shape {
        guard input.rank == 4, kernel.rank == 4 else {
            throw GraftError(.shape, "operation convolution: needs NHWC and HWIO, got \(input) and \(kernel)")
        }
        guard groups > 0, input[3] % groups == 0, input[3] / groups == kernel[2], kernel[3] % groups == 0 else {
            throw GraftError(
                .shape,
                "operation convolution: \(input[3]) input channels in \(groups) groups do not fit the kernel \(kernel)")
        }
        let height = try windowCount(
            input[1], padding.top, padding.bottom, window: kernel[0], dilation: dilation.height, stride: strides.height)
        let width = try windowCount(
            input[2], padding.left, padding.right, window: kernel[1], dilation: dilation.width, stride: strides.width)
        return [input[0], height, width, kernel[3]]
    }

    /// `result[o] += input[i] · kernel[k]` over all taps.
    fileprivate func forward(_ input: ReferenceArray, _ kernel: ReferenceArray, result: Shape) -> ReferenceArray {
        var output = ReferenceArray(shape: result)
        forEachTap(input: input.shape, kernel: kernel.shape, output: result) { i, k, o in
            output.values[o] += input.values[i] * kernel.values[k]
        }
        return output
    }

    /// `result[i] += outputGradient[o] · kernel[k]` over all taps.
    fileprivate func inputGradient(_ outputGradient: ReferenceArray, _ kernel: ReferenceArray, input: Shape)
        -> ReferenceArray
    {
        var gradient = ReferenceArray(shape: input)
        forEachTap(input: input, kernel: kernel.shape, output: outputGradient.shape) { i, k, o in
            gradient.values[i] += outputGradient.values[o] * kernel.values[k]
        }
        return gradient
    }

    /// `result[k] += input[i] · outputGradient[o]` over all taps.
    fileprivate func kernelGradient(_ input: ReferenceArray, _ outputGradient: ReferenceArray, kernel: Shape)
        -> ReferenceArray
    {
        var gradient = ReferenceArray(shape: kernel)
        forEachTap(input: input.shape, kernel: kernel, output: outputGradient.shape) { i, k, o in
            gradient.values[k] += input.values[i] * outputGradient.values[o]
        }
        return gradient
    }

    /// Visits every multiplication of the convolution: the positions of its input, kernel and output elements.
    private func forEachTap(input: Shape, kernel: Shape, output: Shape, _ body: (Int, Int, Int) -> Void) {
        for n in 0..<output[0] {
            for y in 0..<output[1] {
                for x in 0..<output[2] {
                    for ky in 0..<kernel[0] {
                        for kx in 0..<kernel[1] {
                            let row = y * strides.height + ky * dilation.height - padding.top
                            let column = x * strides.width + kx * dilation.width - padding.left
                            guard (0..<input[1]).contains(row), (0..<input[2]).contains(column) else { continue }
                            forEachChannelPair(
                                kernel,
                                atInput: ((n * input[1] + row) * input[2] + column) * input[3],
                                atKernel: (ky * kernel[1] + kx) * kernel[2] * kernel[3],
                                atOutput: ((n * output[1] + y) * output[2] + x) * output[3], body)
                        }
                    }
                }
            }
        }
    }

    /// Visits the channel pairs of one tap; output channel `o` reads the input channels of its group only.
    private func forEachChannelPair(
        _ kernel: Shape, atInput: Int, atKernel: Int, atOutput: Int, _ body: (Int, Int, Int) -> Void
    ) {
        let outputsPerGroup = kernel[3] / groups
        for i in 0..<kernel[2] {
            for o in 0..<kernel[3] {
                let group = o / outputsPerGroup
                body(atInput + group * kernel[2] + i, atKernel + i * kernel[3] + o, atOutput + o)
            }
        }
    }
}
