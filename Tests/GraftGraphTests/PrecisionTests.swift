import GraftTestSupport
import Testing

@testable import GraftGraph

/// Element types, casts, and the passes that choose and legalize them.
@Suite struct PrecisionTests {
    // MARK: Rounding

    static let roundings: [(Double, Double)] = [
        (1, 1), (-2.5, -2.5), (0, 0),
        // 8 bits of precision: 1 + 2⁻⁷ is a number, 1 + 2⁻⁸ lies in the middle and goes to the even one.
        (0x1.02p0, 0x1.02p0), (0x1.01p0, 1), (0x1.03p0, 0x1.04p0), (0x1.0101p0, 0x1.02p0), (-0x1.0101p0, -0x1.02p0),
        // The range of exponents is that of 32 bits; above the largest number lies infinity.
        (0x1.2cp126, 0x1.2cp126), (0x1.ffp127, .infinity), (.infinity, .infinity), (0x1p-126, 0x1p-126),
    ]

    @Test(arguments: roundings)
    func bfloat16RoundsToTheNearestAndTiesToEven(number: Double, expected: Double) {
        #expect(ElementType.bfloat16.rounded(number) == expected)
        #expect(ElementType.float32.rounded(number) == number)
    }

    @Test func whatIsNoNumberStaysNone() { #expect(ElementType.bfloat16.rounded(.nan).isNaN) }

    // MARK: Types of nodes

    @Test func aNodeRoundsItsResultOnce() throws {
        var graph = Graph()
        let x = try graph.input("x", [2])
        let sum = try graph.add(.elementwise(.binary(.add)), [x, graph.constant(1)], as: .bfloat16)
        graph.outputs = [try graph.cast(sum, to: .float32)]
        let results = try Interpreter.run(graph, inputs: ["x": ReferenceArray([0x1p-8, 0x3p-8], shape: [2])])
        #expect(results.outputs[0].values == [1, 1 + 0x1p-6])
    }

    @Test func theSameOperationInAnotherTypeIsAnotherValue() throws {
        var graph = Graph()
        let x = try graph.input("x", [2])
        let wide = try graph.unary(.square, x)
        #expect(try graph.add(.elementwise(.unary(.square)), [x], as: .bfloat16) != wide)
        #expect(try graph.add(.elementwise(.unary(.square)), [x], as: .float32) == wide)
        #expect(try graph.cast(wide, to: .float32) == wide)
    }

    @Test func aReshapeHasItsOperandsType() throws {
        var graph = Graph()
        let narrow = try graph.cast(graph.input("x", [4]), to: .bfloat16)
        let square = try graph.reshape(narrow, to: [2, 2])
        #expect(graph[square].elementType == .bfloat16)
        #expect(throws: GraftError.self) { try graph.add(.movement(.reshape([2, 2])), [narrow], as: .float32) }
    }

    @Test func inputsAndOutputsAreOf32Bits() throws {
        var graph = Graph()
        #expect(throws: GraftError.self) { try graph.add(.leaf(.input("x", [4])), as: .bfloat16) }
        graph.outputs = [try graph.cast(graph.input("x", [4]), to: .bfloat16)]
        let error = #expect(throws: GraftError.self) { try graph.validate() }
        #expect(
            error?.message
                == "an output of the graph, value 1 (cast), is of bfloat16; cast it to float32")
    }

    @Test func aCastsGradientIsTheGradientCastBack() throws {
        var graph = Graph()
        let x = try graph.input("x", [3])
        let narrow = try graph.cast(x, to: .bfloat16)
        let loss = try graph.reduce(.sum, graph.unary(.square, narrow))
        let gradient = try graph.gradients(of: loss, withRespectTo: [x])[0]
        #expect(graph[gradient].elementType == .float32)
        graph.outputs = [gradient]
        let values = [1 + 0x1p-8, 3, -0.5]
        let results = try Interpreter.run(graph, inputs: ["x": ReferenceArray(values, shape: [3])])
        // d/dx (round x)² as if rounding had the slope 1.
        #expect(results.outputs[0].values == [2, 6, -1])
    }

    // MARK: Choosing

    @Test func float32ChangesNothing() throws {
        let graph = try SampleNetwork(seed: 1).graph
        #expect(try graph.choosingPrecision(.float32).nodes.count == graph.nodes.count)
    }

    @Test(arguments: [SampleNetwork.Training.nothing, .head, .everything])
    func everythingButTheActivationsBetweenConvolutionsStaysIn32Bits(training: SampleNetwork.Training) throws {
        let graph = try SampleNetwork(seed: 1, training: training).graph.fused().choosingPrecision(.bfloat16)
        try graph.validate()
        for node in graph.nodes where node.elementType == .bfloat16 {
            switch node.operation {
            case .movement(.cast), .movement(.reshape): continue
            case .product, .convolution(.kernelGradient), .reduction, .softmax:
                Issue.record("\(node.operation.name) is of bfloat16")
            default: #expect(node.shape.rank == 4, "\(node.operation.name)")
            }
        }
        for node in graph.nodes {
            switch node.operation {
            case .convolution(let convolution):
                #expect(node.operands.prefix(2).allSatisfy { graph[$0].elementType == .bfloat16 })
                #expect(node.operands.dropFirst(2).allSatisfy { graph[$0].elementType == .float32 })
                if case .kernelGradient = convolution { #expect(node.elementType == .float32) }
            default: break
            }
        }
    }

    @Test func aTrunkIsCastAtItsKernelsAlone() throws {
        let graph = try SampleNetwork(seed: 1, training: .nothing).graph.fused().choosingPrecision(.bfloat16)
        let casts = graph.nodes.filter { if case .movement(.cast) = $0.operation { true } else { false } }
        #expect(casts.count == 4)
        #expect(
            casts.allSatisfy { cast in
                cast.elementType == .bfloat16 && graph.shape(of: cast.operands[0]).rank == 4
                    && cast.shape.last <= 4 && cast.shape[0] <= 3
            })
    }

    /// Eight bits of precision are off by 2⁻⁹ at each of some ten roundings on the way through this network.
    @Test(arguments: [SampleNetwork.Training.nothing, .head, .everything])
    func theResultsOfATrainingStepStayNear(training: SampleNetwork.Training) throws {
        let network = try SampleNetwork(seed: 3, training: training)
        let (narrow, wide) = try (network.run(network.graph.fused().choosingPrecision(.bfloat16)), network.run())
        for (narrow, wide) in zip(narrow.outputs, wide.outputs) { expectClose(narrow, wide, tolerance: 0.02) }
    }

    @Test func randomGraphsStayValid() throws {
        for seed in 0..<300 {
            let random = try RandomGraph(seed: UInt64(seed) + 5000, operations: 2 + seed % 14)
            let narrow = try random.graph.choosingPrecision(.bfloat16)
            try narrow.validate()
            #expect(
                narrow.outputs.map { narrow.shape(of: $0) } == random.graph.outputs.map { random.graph.shape(of: $0) })
        }
    }

    // MARK: Other passes

    @Test func legalizedGraphsGiveTheSameValues() throws {
        for seed in 0..<200 {
            let random = try RandomGraph(seed: UInt64(seed) + 7000, operations: 2 + seed % 8)
            let typed = try random.graph.withTypes { $0.shape.elementCount % 3 == 0 ? .float32 : .bfloat16 }
            let legalized = try typed.legalizingTypes { _, _, _ in false }
            for node in legalized.nodes where node.elementType == .bfloat16 {
                if case .movement(.cast) = node.operation { continue }
                #expect(node.operation.isReshape)
            }
            try expectSameResults(random.run(legalized), random.run(typed), "\(random)")
        }
    }

    @Test func fusingKeepsWhatIsRoundedOnTheWay() throws {
        for seed in 0..<200 {
            let random = try RandomGraph(seed: UInt64(seed) + 8000, operations: 2 + seed % 12)
            let typed = try random.graph.withTypes { $0.shape.elementCount % 3 == 0 ? .float32 : .bfloat16 }
            try expectSameResults(random.run(typed.fused()), random.run(typed), "\(random)")
        }
    }
}

extension Graph {
    /// What a backend does before it chooses the precision.
    fileprivate func fused() throws -> Graph {
        try pruned().foldingNormalization().fusingEpilogues().fusingElementwise().pruned()
    }
}
