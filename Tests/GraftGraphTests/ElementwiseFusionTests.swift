import GraftGraph
import GraftTestSupport
import Testing

@Suite struct ElementwiseFusionTests {
    /// The operations of the fused graph that are no leaves, by name.
    private func names(_ graph: Graph) throws -> [String] {
        try graph.fusingElementwise().nodes.map(\.operation).filter { !$0.isLeaf }.map(\.name)
    }

    private func programs(_ graph: Graph) throws -> [ElementwiseProgram] {
        try graph.fusingElementwise().nodes.compactMap {
            if case .elementwise(.fused(let program)) = $0.operation { program } else { nil }
        }
    }

    @Test func aChainBecomesOneProgram() throws {
        var graph = Graph()
        let x = try graph.input("x", [2, 3])
        graph.outputs = [try graph.unary(.exponential, graph.binary(.multiply, graph.binary(.add, x, 1), 2))]
        #expect(
            try programs(graph) == [
                ElementwiseProgram(
                    operandCount: 1,
                    instructions: [
                        .constant(1), .binary(.add, 0, 1), .constant(2), .binary(.multiply, 2, 3),
                        .unary(.exponential, 4),
                    ])
            ])
    }

    @Test func aValueUsedTwiceInsideAGroupIsComputedOnce() throws {
        var graph = Graph()
        let x = try graph.input("x", [2, 3])
        let y = try graph.unary(.sigmoid, x)
        graph.outputs = [try graph.binary(.multiply, x, graph.binary(.multiply, y, graph.binary(.subtract, 1, y)))]
        let programs = try programs(graph)
        #expect(programs.count == 1)
        #expect(programs[0].operandCount == 1)
        #expect(programs[0].instructions.filter { $0 == .unary(.sigmoid, 0) }.count == 1)
    }

    @Test func broadcastOperandsAreReadAsTheyAre() throws {
        var graph = Graph()
        let row = try graph.broadcast(graph.input("row", [3]), to: [2, 3])
        graph.outputs = [try graph.unary(.tanh, graph.binary(.add, row, graph.input("x", [2, 3])))]
        #expect(try names(graph) == ["elementwise"])
    }

    @Test func aBroadcastThatMakesTheShapeStays() throws {
        var graph = Graph()
        let row = try graph.broadcast(graph.input("row", [3]), to: [2, 3])
        graph.outputs = [try graph.unary(.tanh, graph.binary(.multiply, row, 2))]
        #expect(try names(graph) == ["broadcast", "elementwise"])
    }

    @Test func aSmallValueIsNotComputedForEachElementOfALargeOne() throws {
        var graph = Graph()
        let scale = try graph.unary(.squareRoot, graph.input("v", [3]))
        graph.outputs = [try graph.unary(.tanh, graph.binary(.multiply, graph.input("x", [2, 3]), scale))]
        #expect(try names(graph) == ["squareRoot", "elementwise"])
    }

    @Test func whatSomebodyElseReadsIsWrittenToMemory() throws {
        var graph = Graph()
        let x = try graph.input("x", [4, 4])
        let y = try graph.unary(.exponential, graph.unary(.tanh, x))
        graph.outputs = [try graph.unary(.negate, graph.unary(.tanh, y)), try graph.matrixProduct(y, x)]
        #expect(try names(graph) == ["elementwise", "elementwise", "matrixProduct"])
    }

    @Test func aMaskIsRepeatedInEachGroupThatReadsIt() throws {
        var graph = Graph()
        let x = try graph.input("x", [4, 4])
        let mask = try graph.binary(.greaterOrEqual, graph.randomUniform(stream: 0, [4, 4]), 0.5)
        let kept = try graph.binary(.multiply, graph.binary(.multiply, x, mask), 2)
        let product = try graph.matrixProduct(kept, x)
        graph.outputs = [try graph.binary(.multiply, graph.binary(.multiply, product, mask), 2)]
        #expect(try names(graph) == ["elementwise", "matrixProduct", "elementwise"])
    }

    @Test func aVariablesNextValueReadsItsNextState() throws {
        let network = try SampleNetwork(seed: 1, training: .head)
        let fused = try network.graph.fusingElementwise()
        for (state, value) in zip(fused.updates, fused.updates.dropFirst())
        where network.trained.contains(value.variable) {
            #expect(fused[value.value].operands.contains(state.value))
            #expect(fused[value.value].operation.name == "elementwise")
        }
    }

    @Test func aLongChainIsDividedIntoGroupsOfBoundedSize() throws {
        var graph = Graph()
        var value = try graph.input("x", [3])
        for step in 0..<200 { value = try graph.binary(.add, value, graph.input("y\(step % 40)", [3])) }
        graph.outputs = [value]
        let programs = try programs(graph)
        #expect(programs.count > 4)
        #expect(programs.allSatisfy { $0.instructions.count <= 48 && $0.operandCount <= 12 })
    }

    @Test func programsThatAreThereJoinGroups() throws {
        var graph = Graph()
        let x = try graph.input("x", [3])
        let program = ElementwiseProgram(operandCount: 1, instructions: [.constant(2), .binary(.power, 0, 1)])
        graph.outputs = [try graph.unary(.negate, graph.add(.elementwise(.fused(program)), [graph.unary(.tanh, x)]))]
        #expect(try names(graph) == ["elementwise"])
    }

    @Test func aTrainingStepKeepsFewElementwiseOperations() throws {
        let graph = try SampleNetwork(seed: 2).graph.foldingNormalization()
        let before = graph.nodes.filter { $0.operation.elementwiseProgram != nil }.count
        let fused = try graph.fusingEpilogues().fusingElementwise()
        let after = fused.nodes.filter { $0.operation.elementwiseProgram != nil }.count
        #expect(after * 3 < before)
    }
}
