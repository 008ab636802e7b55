/// Pooling over the windows of an image, NHWC, and its gradients.
public enum Pooling: Hashable, Sendable {
    /// `input`: the largest of each window; padding never wins.
    case maxPooling(Window)
    /// `input, outputGradient`: each gradient goes to the first largest element of its window, in row-major order.
    case maxPoolingGradient(Window)
    /// `input`: the mean of each window's elements that are not padding.
    case averagePooling(Window)
    /// `outputGradient`: spread evenly over the elements of each window that are not padding.
    case averagePoolingGradient(Window, input: Shape)
}

/// How pooling walks over its input.
public struct Window: Hashable, Sendable {
    /// The window's size.
    public var size: Size2D
    /// The step between windows.
    public var strides: Size2D
    /// Rows and columns around the input that windows may cover but that count for nothing.
    public var padding: EdgePadding
    /// A window with these attributes.
    public init(size: Size2D, strides: Size2D, padding: EdgePadding = .none) {
        (self.size, self.strides, self.padding) = (size, strides, padding)
    }
}

extension Pooling: OperationRule {
    package var name: String {
        switch self {
        case .maxPooling: "maxPooling"
        case .maxPoolingGradient: "maxPoolingGradient"
        case .averagePooling: "averagePooling"
        case .averagePoolingGradient: "averagePoolingGradient"
        }
    }

    package var operandCount: Int? { if case .maxPoolingGradient = self { 2 } else { 1 } }

    package var attributeShapes: [Shape] {
        if case .averagePoolingGradient(_, let shape) = self { [shape] } else { [] }
    }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        switch self {
        case .maxPooling(let window), .averagePooling(let window): try window.resultShape(input: operands[0])
        case .maxPoolingGradient(let window):
            try require(operands[1], equals: window.resultShape(input: operands[0]), giving: operands[0])
        case .averagePoolingGradient(let window, let input):
            try require(operands[0], equals: window.resultShape(input: input), giving: input)
        }
    }

    package var precision: PrecisionRule {
        switch self {
        case .maxPooling, .averagePooling: .anyOperand
        case .maxPoolingGradient, .averagePoolingGradient: .firstOperand
        }
    }

    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        let operand = step.operand(0)
        switch self {
        case .maxPooling(let window):
            return try graph.add(.pooling(.maxPoolingGradient(window)), [operand, step.gradient])
        case .averagePooling(let window):
            let input = graph.shape(of: operand)
            return try graph.add(.pooling(.averagePoolingGradient(window, input: input)), [step.gradient])
        case .averagePoolingGradient(let window, _): return try graph.averagePool(step.gradient, window)
        case .maxPoolingGradient:
            throw step.refusal("has no gradient of its own: second derivatives of max pooling are not supported")
        }
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        switch self {
        case .maxPooling(let window): window.maximum(operands[0], result: result)
        case .maxPoolingGradient(let window): window.maximumGradient(operands[0], operands[1])
        case .averagePooling(let window): window.average(operands[0], result: result)
        case .averagePoolingGradient(let window, let input): window.averageGradient(operands[0], input: input)
        }
    }

    /// Its input is mostly read by convolutions as well, so it is kept anyhow.
    package var isCheapToRepeat: Bool {
        switch self {
        case .maxPooling, .averagePooling: true
        case .maxPoolingGradient, .averagePoolingGradient: false
        }
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool {
        operands.allSatisfy(\.isPerExample)
    }
}

extension Graph {
    /// The largest element of each window of an NHWC value; padding never wins.
    public mutating func maxPool(_ input: ValueID, _ window: Window) throws(GraftError) -> ValueID {
        try add(.pooling(.maxPooling(window)), [input])
    }

    /// The mean of each window of an NHWC value, over the elements that are not padding.
    public mutating func averagePool(_ input: ValueID, _ window: Window) throws(GraftError) -> ValueID {
        try add(.pooling(.averagePooling(window)), [input])
    }
}

extension Window {
    /// The shape of the result: NHWC, `floor((size + padding − window) / stride) + 1` per axis.
    ///
    /// The padding is smaller than the window, so that no window is all padding.
    public func resultShape(input: Shape) throws(GraftError) -> Shape {
        guard input.rank == 4 else { throw GraftError(.shape, "operation pooling: needs NHWC, got \(input)") }
        guard padding.top < size.height, padding.bottom < size.height, padding.left < size.width,
            padding.right < size.width
        else { throw GraftError(.shape, "operation pooling: the padding must be smaller than the window \(size)") }
        let height = try windowCount(
            input[1], padding.top, padding.bottom, window: size.height, dilation: 1, stride: strides.height)
        let width = try windowCount(
            input[2], padding.left, padding.right, window: size.width, dilation: 1, stride: strides.width)
        return [input[0], height, width, input[3]]
    }

    /// The largest element of each window.
    fileprivate func maximum(_ input: ReferenceArray, result: Shape) -> ReferenceArray {
        var output = ReferenceArray(repeating: -.infinity, shape: result)
        forEachWindow(input: input.shape, output: result) { o, members in
            for i in members { output.values[o] = max(output.values[o], input.values[i]) }
        }
        return output
    }

    /// Each gradient added to the first largest element of its window.
    fileprivate func maximumGradient(_ input: ReferenceArray, _ outputGradient: ReferenceArray) -> ReferenceArray {
        var gradient = ReferenceArray(shape: input.shape)
        forEachWindow(input: input.shape, output: outputGradient.shape) { o, members in
            guard var largest = members.first else { return }
            for i in members where input.values[i] > input.values[largest] { largest = i }
            gradient.values[largest] += outputGradient.values[o]
        }
        return gradient
    }

    /// The mean of each window's elements that are not padding.
    fileprivate func average(_ input: ReferenceArray, result: Shape) -> ReferenceArray {
        var output = ReferenceArray(shape: result)
        forEachWindow(input: input.shape, output: result) { o, members in
            for i in members { output.values[o] += input.values[i] / Double(members.count) }
        }
        return output
    }

    /// Each gradient spread evenly over the elements of its window that are not padding.
    fileprivate func averageGradient(_ outputGradient: ReferenceArray, input: Shape) -> ReferenceArray {
        var gradient = ReferenceArray(shape: input)
        forEachWindow(input: input, output: outputGradient.shape) { o, members in
            for i in members { gradient.values[i] += outputGradient.values[o] / Double(members.count) }
        }
        return gradient
    }

    /// Visits every window: the position of its output, and those of its input elements that are not padding.
    private func forEachWindow(input: Shape, output: Shape, _ body: (Int, [Int]) -> Void) {
        for n in 0..<output[0] {
            for y in 0..<output[1] {
                for x in 0..<output[2] {
                    let rows = inside(y * strides.height - padding.top, size.height, input[1])
                    let columns = inside(x * strides.width - padding.left, size.width, input[2])
                    for c in 0..<output[3] {
                        let members = rows.flatMap { row in
                            columns.map { ((n * input[1] + row) * input[2] + $0) * input[3] + c }
                        }
                        body(((n * output[1] + y) * output[2] + x) * output[3] + c, members)
                    }
                }
            }
        }
    }

    private func inside(_ start: Int, _ length: Int, _ size: Int) -> Range<Int> {
        (start..<start + length).clamped(to: 0..<size)
    }
}
