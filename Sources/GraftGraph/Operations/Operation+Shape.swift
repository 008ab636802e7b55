extension Operation {
    /// The shape of the result for operands of these shapes: the one place that knows it.
    ///
    /// - Throws: ``GraftError`` with code `shape` where the operands do not fit the operation or a size would be zero
    ///   or negative.
    public func resultShape(_ operands: [Shape]) throws(GraftError) -> Shape {
        try checkOperandCount(operands)
        for shape in operands + attributeShapes where !shape.isValid {
            throw mismatch("the shape \(shape) has a negative size or is too large")
        }
        let result = try uncheckedResultShape(operands)
        guard result.isValid else { throw mismatch("the result would have the shape \(result), which is too large") }
        return result
    }

    private func uncheckedResultShape(_ operands: [Shape]) throws(GraftError) -> Shape {
        switch self {
        case .input(_, let shape), .variable(_, let shape), .randomUniform(_, let shape): return shape
        case .constant(let tensor): return tensor.shape
        case .convolution(let convolution, let epilogue):
            let result = try convolution.resultShape(input: operands[0], kernel: operands[1])
            return try epilogue.checked(operands.dropFirst(2), result: result)
        case .convolutionInputGradient(let convolution, let input):
            let expected = try convolution.resultShape(input: input, kernel: operands[1])
            return try require(operands[0], equals: expected, giving: input)
        case .convolutionKernelGradient(let convolution, let kernel):
            let expected = try convolution.resultShape(input: operands[0], kernel: kernel)
            return try require(operands[1], equals: expected, giving: kernel)
        case .matrixProduct(let transposeLeft, let transposeRight, let epilogue):
            let result = try Self.matrixProductShape(operands[0], operands[1], transposeLeft, transposeRight)
            return try epilogue.checked(operands.dropFirst(2), result: result)
        case .maxPooling(let window), .averagePooling(let window): return try window.resultShape(input: operands[0])
        case .maxPoolingGradient(let window):
            return try require(operands[1], equals: window.resultShape(input: operands[0]), giving: operands[0])
        case .averagePoolingGradient(let window, let input):
            return try require(operands[0], equals: window.resultShape(input: input), giving: input)
        case .unary, .cast, .stochasticRounding: return operands[0]
        case .binary, .select: return try broadcastShape(operands)
        case .elementwise(let program):
            guard program.isWellFormed else { throw mismatch("the program reads a register before it is written") }
            return try broadcastShape(operands)
        case .reduction(_, let axes): return try reducedShape(operands[0], axes)
        case .broadcast(let shape):
            return try require(shape, equals: operands[0].broadcast(with: shape), giving: shape)
        case .reshape(let shape):
            guard shape.elementCount == operands[0].elementCount else {
                throw mismatch(
                    "\(operands[0]) has \(operands[0].elementCount) elements, \(shape) \(shape.elementCount)")
            }
            return shape
        case .pad(let before, let after): return try paddedShape(operands[0], before, after)
        case .slice(let start, let shape): return try slicedShape(operands[0], start, shape)
        case .concatenation(let axis): return try concatenatedShape(operands, axis)
        case .softmax, .logSoftmax:
            guard operands[0].rank > 0 else { throw mismatch("needs at least one axis") }
            return operands[0]
        }
    }

    /// How many operands the operation takes, or `nil` for one that takes any positive number.
    public var operandCount: Int? {
        switch self {
        case .input, .variable, .constant, .randomUniform: 0
        case .convolution(_, let epilogue), .matrixProduct(_, _, let epilogue): 2 + epilogue.operandCount
        case .convolutionInputGradient, .convolutionKernelGradient, .maxPoolingGradient, .binary: 2
        case .select: 3
        case .elementwise(let program): program.operandCount
        case .concatenation: nil
        case .maxPooling, .averagePooling, .averagePoolingGradient, .unary, .reduction, .cast, .stochasticRounding,
            .broadcast, .reshape, .pad, .slice, .softmax, .logSoftmax:
            1
        }
    }

    /// The type of the result, 32 bits where none is asked for.
    ///
    /// - Throws: ``GraftError`` with code `argument` for a leaf of another type that is no variable, and for a cast or a
    ///   rounding to one that is not its own.
    func resultType(wanted: ElementType?, operands: [ElementType]) throws(GraftError) -> ElementType {
        let own: ElementType? =
            switch self {
            case .cast(let type): type
            case .stochasticRounding: .bfloat16
            case .variable: nil
            case .reshape: operands.first
            default: isLeaf ? .float32 : nil
            }
        guard let own else { return wanted ?? .float32 }
        guard wanted == nil || wanted == own else {
            throw GraftError(
                .argument,
                "operation \(name): gives \(own.rawValue), not \(wanted?.rawValue ?? ""); add a cast after it")
        }
        return own
    }

    private func checkOperandCount(_ operands: [Shape]) throws(GraftError) {
        if let count = operandCount {
            guard operands.count == count else {
                throw mismatch("takes \(count) operands, was given \(operands.count)")
            }
        } else if operands.isEmpty {
            throw mismatch("takes at least one operand, was given none")
        }
    }

    private func mismatch(_ message: String) -> GraftError { GraftError(.shape, "operation \(name): \(message)") }

    /// The shapes among the operation's attributes.
    private var attributeShapes: [Shape] {
        switch self {
        case .input(_, let shape), .variable(_, let shape), .randomUniform(_, let shape), .broadcast(let shape),
            .reshape(let shape), .slice(_, let shape), .convolutionInputGradient(_, let shape),
            .convolutionKernelGradient(_, let shape), .averagePoolingGradient(_, let shape):
            [shape]
        default: []
        }
    }

    private func require(_ shape: Shape, equals expected: Shape?, giving result: Shape) throws(GraftError) -> Shape {
        guard shape == expected else {
            throw mismatch("got the shape \(shape), needs \(expected.map(String.init(describing:)) ?? "one that fits")")
        }
        return result
    }

    private static func matrixProductShape(
        _ left: Shape, _ right: Shape, _ transposeLeft: Bool, _ transposeRight: Bool
    ) throws(GraftError) -> Shape {
        guard left.rank == 2, right.rank == 2 else {
            throw GraftError(.shape, "operation matrixProduct: needs two matrices, got \(left) and \(right)")
        }
        let (rows, leftInner) = transposeLeft ? (left[1], left[0]) : (left[0], left[1])
        let (rightInner, columns) = transposeRight ? (right[1], right[0]) : (right[0], right[1])
        guard leftInner == rightInner else {
            throw GraftError(.shape, "operation matrixProduct: inner sizes \(leftInner) and \(rightInner) differ")
        }
        return [rows, columns]
    }

    private func broadcastShape(_ operands: [Shape]) throws(GraftError) -> Shape {
        var result: Shape = []
        for operand in operands {
            guard let next = result.broadcast(with: operand) else {
                throw mismatch(
                    "shapes \(operands.map(\.description).joined(separator: ", ")) do not broadcast together")
            }
            result = next
        }
        return result
    }

    private func reducedShape(_ operand: Shape, _ axes: [Int]) throws(GraftError) -> Shape {
        var result = operand
        guard Set(axes).count == axes.count, axes.allSatisfy({ operand.dimensions.indices.contains($0) }) else {
            throw mismatch("axes \(axes) are not distinct axes of \(operand)")
        }
        for axis in axes { result[axis] = 1 }
        return result
    }

    private func paddedShape(_ operand: Shape, _ before: [Int], _ after: [Int]) throws(GraftError) -> Shape {
        guard before.count == operand.rank, after.count == operand.rank, (before + after).allSatisfy({ $0 >= 0 }) else {
            throw mismatch("pads \(before) and \(after) do not fit \(operand)")
        }
        return Shape(operand.dimensions.indices.map { saturatingSum(before[$0], operand[$0], after[$0]) })
    }

    private func slicedShape(_ operand: Shape, _ start: [Int], _ shape: Shape) throws(GraftError) -> Shape {
        guard start.count == operand.rank, shape.rank == operand.rank,
            operand.dimensions.indices.allSatisfy({
                start[$0] >= 0 && start[$0] <= operand[$0] && shape[$0] <= operand[$0] - start[$0]
            })
        else { throw mismatch("the part of shape \(shape) at \(start) is not inside \(operand)") }
        return shape
    }

    private func concatenatedShape(_ operands: [Shape], _ axis: Int) throws(GraftError) -> Shape {
        var result = operands[0]
        guard result.dimensions.indices.contains(axis) else { throw mismatch("\(result) has no axis \(axis)") }
        for operand in operands.dropFirst() {
            var (left, right) = (result, operand)
            guard right.rank == left.rank else { throw mismatch("\(operand) does not join \(operands[0])") }
            (left[axis], right[axis]) = (1, 1)
            guard left == right else { throw mismatch("\(operand) does not join \(operands[0]) along axis \(axis)") }
            result[axis] = saturatingSum(result[axis], operand[axis])
        }
        return result
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
}

extension Epilogue {
    fileprivate func checked(_ operands: ArraySlice<Shape>, result: Shape) throws(GraftError) -> Shape {
        let expected = (bias ? [Shape([result.last])] : []) + (addend ? [result] : [])
        guard Array(operands) == expected else {
            throw GraftError(.shape, "an epilogue needs the shapes \(expected), got \(Array(operands))")
        }
        return result
    }
}

/// How many windows of a size fit along an axis.
private func windowCount(
    _ size: Int, _ before: Int, _ after: Int, window: Int, dilation: Int, stride: Int
) throws(GraftError) -> Int {
    guard size > 0, window > 0, dilation > 0, stride > 0, before >= 0, after >= 0 else {
        throw GraftError(
            .shape,
            "a window of \(window) with stride \(stride), dilation \(dilation) and padding \(before) and \(after) "
                + "over a size of \(size) is not possible")
    }
    let (reach, overflow) = dilation.multipliedReportingOverflow(by: window - 1)
    let padded = saturatingSum(before, size, after)
    guard !overflow, padded > reach else {
        throw GraftError(
            .shape,
            "a window of \(window) with dilation \(dilation) does not fit a size of \(size) with padding \(before) and "
                + "\(after); use a larger input")
    }
    return (padded - reach - 1) / stride + 1
}

/// The sum of sizes, or the largest `Int` where it would overflow; `Shape.isValid` refuses such a size.
private func saturatingSum(_ sizes: Int...) -> Int {
    var sum = 0
    for size in sizes {
        let (next, overflow) = sum.addingReportingOverflow(size)
        guard !overflow else { return .max }
        sum = next
    }
    return sum
}
