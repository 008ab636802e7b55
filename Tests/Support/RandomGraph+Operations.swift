import GraftGraph

extension RandomGraphBuilder {
    /// Adds one operation with what it needs; `false` where the attributes that were drawn do not fit.
    mutating func add(_ kind: OperationKind) throws -> Bool {
        do {
            switch kind {
            case .convolution, .convolutionInputGradient, .convolutionKernelGradient: try addConvolution(kind)
            case .matrixProduct: try addMatrixProduct(.none)
            case .maxPooling, .maxPoolingGradient, .averagePooling, .averagePoolingGradient: try addPooling(kind)
            case .unary(let function): try addUnary(function)
            case .binary(let function): try addBinary(function)
            case .select: try addSelect()
            case .randomUniform:
                _ = try graph.randomUniform(stream: UInt64(graph.nodes.count), random.shape(rank: 1...4))
            case .epilogue:
                if random.chance(0.5) {
                    try addMatrixProduct(epilogue())
                } else {
                    try addConvolution(.convolution, epilogue())
                }
            case .program: try addProgram()
            case .custom(let kind): try kind.add(&self)
            default: try addShape(kind)
            }
            return true
        } catch let error as GraftError where error.code == .shape {
            return false
        }
    }

    private mutating func addConvolution(_ kind: OperationKind, _ epilogue: Epilogue = .none) throws {
        let input = try images()
        let shape = graph.shape(of: input)
        let groups = random.pick((1...max(1, shape[3])).filter { shape[3].isMultiple(of: $0) })
        let convolution = Convolution(
            strides: Size2D(random.size(1...2), random.size(1...2)),
            dilation: Size2D(random.size(1...2), random.size(1...2)),
            padding: EdgePadding(
                top: random.size(0...2), bottom: random.size(0...2), left: random.size(0...2),
                right: random.size(0...2)),
            groups: groups)
        let kernel: Shape = [random.size(1...3), random.size(1...3), shape[3] / groups, groups * random.size(1...2)]
        let result = try convolution.resultShape(input: shape, kernel: kernel)
        switch kind {
        case .convolutionInputGradient:
            _ = try graph.add(
                .convolution(.inputGradient(convolution, input: shape)), [leaf(result), leaf(kernel)])
        case .convolutionKernelGradient:
            _ = try graph.add(
                .convolution(.kernelGradient(convolution, kernel: kernel)), [input, leaf(result)])
        default:
            _ = try graph.add(
                .convolution(.forward(convolution, epilogue)), [input, leaf(kernel)] + operands(of: epilogue, result))
        }
    }

    private mutating func addMatrixProduct(_ epilogue: Epilogue) throws {
        let operand = try array()
        let shape = graph.shape(of: operand)
        let rows = shape[0]
        let left = try graph.reshape(operand, to: [rows, shape.elementCount / rows])
        let transposeLeft = random.chance(0.5)
        let (kept, inner) = (graph.shape(of: left)[transposeLeft ? 1 : 0], graph.shape(of: left)[transposeLeft ? 0 : 1])
        let units = random.size()
        let transposeRight = random.chance(0.5)
        let right = try leaf(transposeRight ? [units, inner] : [inner, units])
        _ = try graph.add(
            .product(MatrixProduct(transposeLeft: transposeLeft, transposeRight: transposeRight, epilogue)),
            [left, right] + operands(of: epilogue, [kept, units]))
    }

    private mutating func epilogue() -> Epilogue {
        Epilogue(
            bias: random.chance(0.5), addend: random.chance(0.5),
            activation: random.pick([nil, .relu, .relu6, .sigmoid, .tanh]))
    }

    private mutating func operands(of epilogue: Epilogue, _ result: Shape) throws -> [ValueID] {
        var operands: [ValueID] = []
        if epilogue.bias { try operands.append(leaf([result.last])) }
        if epilogue.addend { try operands.append(leaf(result)) }
        return operands
    }

    private mutating func addPooling(_ kind: OperationKind) throws {
        let input = try images()
        let shape = graph.shape(of: input)
        let size = Size2D(random.size(1...3), random.size(1...3))
        let window = Window(
            size: size, strides: Size2D(random.size(1...3), random.size(1...3)),
            padding: EdgePadding(
                top: random.size(0...size.height - 1), bottom: random.size(0...size.height - 1),
                left: random.size(0...size.width - 1), right: random.size(0...size.width - 1)))
        let result = try window.resultShape(input: shape)
        switch kind {
        case .maxPooling: _ = try graph.maxPool(input, window)
        case .averagePooling: _ = try graph.averagePool(input, window)
        case .maxPoolingGradient: _ = try graph.add(.pooling(.maxPoolingGradient(window)), [input, leaf(result)])
        default: _ = try graph.add(.pooling(.averagePoolingGradient(window, input: shape)), [leaf(result)])
        }
    }

    private mutating func addUnary(_ function: UnaryFunction) throws {
        let operand = try anyValue()
        switch function {
        case .squareRoot, .reciprocalSquareRoot, .logarithm, .logarithmOnePlus:
            _ = try graph.unary(function, positive(operand))
        default: _ = try graph.unary(function, operand)
        }
    }

    private mutating func addBinary(_ function: BinaryFunction) throws {
        var left = try anyValue()
        let shape = graph.shape(of: left)
        var right =
            random.chance(0.2)
            ? try graph.constant(Float(random.number()))
            : try value(orLeaf: { $0.shape(broadcastingTo: shape) }, where: { $0.broadcast(with: shape) != nil })
        if random.chance(0.3) { swap(&left, &right) }
        switch function {
        case .divide: right = try positive(right)
        case .power: left = try positive(left)
        default: break
        }
        _ = try graph.binary(function, left, right)
    }

    private mutating func addSelect() throws {
        let whenTrue = try anyValue()
        let shape = graph.shape(of: whenTrue)
        let whenFalse = try value(
            orLeaf: { $0.shape(broadcastingTo: shape) }, where: { $0.broadcast(with: shape) != nil })
        let condition = try graph.binary(.greater, leaf(random.shape(broadcastingTo: shape)), 0)
        _ = try graph.select(condition, whenTrue, whenFalse)
    }

    /// A program of continuous functions, each register used at least where the next is made from it.
    private mutating func addProgram() throws {
        let first = try anyValue()
        let shape = graph.shape(of: first)
        let operands = try [first, leaf(random.shape(broadcastingTo: shape)), leaf(shape)]
        var instructions: [ElementwiseProgram.Instruction] = [.constant(Float(random.number()))]
        let unary: [UnaryFunction] = [.relu, .negate, .sigmoid, .tanh, .square, .absolute, .errorFunction]
        let binary: [BinaryFunction] = [.add, .subtract, .multiply, .maximum, .minimum]
        for register in operands.count + 1..<operands.count + 2 + random.size() {
            let other = Int.random(in: 0..<register, using: &random)
            instructions.append(
                random.chance(0.4)
                    ? .unary(random.pick(unary), register - 1)
                    : .binary(random.pick(binary), register - 1, other))
        }
        let program = ElementwiseProgram(operandCount: operands.count, instructions: instructions)
        _ = try graph.add(.elementwise(.fused(program)), operands)
    }
}
