import GraftGraph
import GraftTestSupport
import Testing

/// Numbers as a damaged or malicious file may hold them: refused or accepted, but never a trap.
@Suite struct HostileShapeTests {
    private static let sizes = [.min, -1, 0, 1, 2, 3, 4, 7, 1 << 31, 1 << 40, 1 << 60, .max]

    @Test func noShapeAndNoAttributeTraps() {
        var random = SplitMix(seed: 21)
        var accepted = 0
        for _ in 0..<40_000 {
            let operation = operation(&random)
            let count = operation.operandCount ?? random.size(0...3)
            let operands = (0..<max(0, count)).map { _ in shape(&random) }
            guard let result = try? operation.resultShape(operands) else { continue }
            accepted += 1
            #expect(result.isValid)
            #expect(result.elementCount >= 0 && result.strides.count == result.rank)
        }
        #expect(accepted > 500)
    }

    @Test func aShapeThatIsValidCanBeCountedAndWalked() {
        var random = SplitMix(seed: 22)
        for _ in 0..<10_000 {
            let shape = shape(&random)
            guard shape.isValid else { continue }
            #expect(shape.elementCount <= Int.max / 8)
            #expect(shape.strides.allSatisfy { $0 >= 0 })
        }
    }

    /// Mostly small, so that some fit.
    private func size(_ random: inout SplitMix) -> Int {
        random.chance(0.9) ? random.size(1...4) : random.pick(Self.sizes)
    }

    private func shape(_ random: inout SplitMix) -> Shape {
        Shape((0..<random.pick([0, 1, 2, 4, 4, 4])).map { _ in size(&random) })
    }

    private func pair(_ random: inout SplitMix) -> Size2D { Size2D(size(&random), size(&random)) }

    private func padding(_ random: inout SplitMix) -> EdgePadding {
        guard random.chance(0.5) else { return .none }
        return EdgePadding(
            top: size(&random) &- 1, bottom: size(&random) &- 1, left: size(&random) &- 1, right: size(&random) &- 1)
    }

    private func operation(_ random: inout SplitMix) -> Operation {
        let convolution = Convolution(
            strides: pair(&random), dilation: pair(&random), padding: padding(&random), groups: size(&random))
        let window = Window(size: pair(&random), strides: pair(&random), padding: padding(&random))
        let (shape, numbers) = (shape(&random), shape(&random).dimensions)
        let program = ElementwiseProgram(
            operandCount: random.pick([-1, 0, 1, 2]),
            instructions: random.pick([[], [.binary(.add, size(&random), 0)], [.unary(.relu, 0)]]))
        let rules: [any OperationRule] = [
            Permutation(axes: numbers), BatchedMatrixProduct(transposeLeft: random.chance(0.5)),
            Gather(axis: size(&random)), ScatterAdd(axis: size(&random), size: size(&random)),
            TopK(size(&random), .values),
        ]
        return random.pick([
            .custom(AnyCustomOperation(random.pick(rules))),
            .leaf(.input("x", shape)), .random(.uniform(stream: 0, shape)), .leaf(.variable(VariableID(0), shape)),
            .convolution(.forward(convolution, Epilogue(bias: random.chance(0.3), addend: random.chance(0.3)))),
            .convolution(.inputGradient(convolution, input: shape)),
            .convolution(.kernelGradient(convolution, kernel: shape)),
            .product(MatrixProduct(transposeLeft: random.chance(0.5), transposeRight: random.chance(0.5))),
            .pooling(.maxPooling(window)), .pooling(.maxPoolingGradient(window)), .pooling(.averagePooling(window)),
            .pooling(.averagePoolingGradient(window, input: shape)), .elementwise(.binary(.add)),
            .elementwise(.select), .elementwise(.fused(program)), .reduction(Reduction(.sum, axes: numbers)),
            .movement(.broadcast(shape)), .movement(.reshape(shape)), .movement(.pad(before: numbers, after: numbers)),
            .movement(.slice(start: numbers, shape)), .movement(.concatenation(axis: size(&random))),
            .softmax(.softmax),
        ])
    }
}
