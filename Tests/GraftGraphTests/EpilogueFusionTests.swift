import GraftGraph
import GraftTestSupport
import Testing

@Suite struct EpilogueFusionTests {
    private var graph = Graph()
    private let product: ValueID

    init() throws {
        product = try graph.convolution(
            graph.input("x", [1, 4, 4, 2]), kernel: graph.variable(VariableID(0), [1, 1, 2, 3]))
    }

    private func bias(in graph: inout Graph, _ shape: Shape = [3]) throws -> ValueID {
        try graph.variable(VariableID(1), shape)
    }

    /// The epilogues of the fused graph's products, and the names of the other operations.
    private func fused(_ graph: Graph, _ outputs: ValueID...) throws -> (epilogues: [Epilogue], others: [String]) {
        var graph = graph
        graph.outputs = outputs
        let fused = try graph.fusingEpilogues()
        let epilogues = fused.nodes.compactMap { node in
            switch node.operation {
            case .convolution(.forward(_, let epilogue)): epilogue
            case .product(let product): product.epilogue
            default: nil
            }
        }
        return (epilogues, fused.nodes.map(\.operation).filter { !$0.isLeaf && !$0.isProduct }.map(\.name))
    }

    @Test func biasAndReluMoveIntoTheConvolution() throws {
        var graph = graph
        let result = try graph.unary(.relu, graph.binary(.add, product, bias(in: &graph)))
        let (epilogues, others) = try fused(graph, result)
        #expect(epilogues == [Epilogue(bias: true, activation: .relu)])
        #expect(others.isEmpty)
    }

    @Test(arguments: [(UnaryFunction.sigmoid, FusedActivation.sigmoid), (.tanh, .tanh), (.relu, .relu)])
    func anActivationAloneMovesAsWell(function: UnaryFunction, activation: FusedActivation) throws {
        var graph = graph
        let result = try graph.unary(function, product)
        #expect(try fused(graph, result).epilogues == [Epilogue(activation: activation)])
    }

    @Test func aReshapeOfABiasIsLookedThrough() throws {
        var graph = graph
        let result = try graph.binary(.add, graph.reshape(bias(in: &graph), to: [1, 1, 1, 3]), product)
        let (epilogues, others) = try fused(graph, result)
        #expect(epilogues == [Epilogue(bias: true)])
        #expect(others.isEmpty)
    }

    @Test func cappedReluIsFoundOnEitherSide() throws {
        for isLeft in [true, false] {
            var graph = graph
            let relu = try graph.unary(.relu, product)
            let six = try graph.constant(6)
            let result = try isLeft ? graph.binary(.minimum, relu, six) : graph.binary(.minimum, six, relu)
            #expect(try fused(graph, result).epilogues == [Epilogue(activation: .relu6)])
        }
    }

    @Test func aReluCappedElsewhereStays() throws {
        var graph = graph
        let result = try graph.binary(.minimum, graph.unary(.relu, product), 5)
        let (epilogues, others) = try fused(graph, result)
        #expect(epilogues == [Epilogue(activation: .relu)])
        #expect(others == ["minimum"])
    }

    @Test func aResidualAdditionMovesIntoTheLaterProduct() throws {
        var graph = graph
        let shortcut = try graph.binary(
            .add,
            graph.convolution(graph.input("x", [1, 4, 4, 2]), kernel: graph.variable(VariableID(2), [1, 1, 2, 3])),
            bias(in: &graph))
        let result = try graph.unary(.relu, graph.binary(.add, shortcut, product))
        let (epilogues, others) = try fused(graph, result)
        #expect(epilogues == [Epilogue(), Epilogue(bias: true, addend: true, activation: .relu)])
        #expect(others.isEmpty)
    }

    @Test func whatAnotherNodeReadsStays() throws {
        var graph = graph
        let sum = try graph.binary(.add, product, bias(in: &graph))
        let relu = try graph.unary(.relu, sum)
        let both = try graph.binary(.multiply, relu, sum)
        let (epilogues, others) = try fused(graph, relu, both)
        #expect(epilogues == [Epilogue(bias: true)])
        #expect(others == ["relu", "multiply"])
    }

    @Test func whatIsAnOutputStays() throws {
        var graph = graph
        let relu = try graph.unary(.relu, product)
        let (epilogues, others) = try fused(graph, product, relu)
        #expect(epilogues == [.none])
        #expect(others == ["relu"])
    }

    @Test func whatIsAnUpdateStays() throws {
        var graph = graph
        graph.updates = [Graph.Update(variable: VariableID(9), value: product)]
        let relu = try graph.unary(.relu, product)
        let (epilogues, others) = try fused(graph, relu)
        #expect(epilogues == [.none])
        #expect(others == ["relu"])
    }

    @Test func aProductAddedToItselfStays() throws {
        var graph = graph
        let twice = try graph.binary(.add, product, product)
        #expect(try fused(graph, twice).others == ["add"])
    }

    @Test func nothingIsAddedAfterAnActivation() throws {
        var graph = graph
        let result = try graph.binary(.add, graph.unary(.relu, product), bias(in: &graph))
        let (epilogues, others) = try fused(graph, result)
        #expect(epilogues == [Epilogue(activation: .relu)])
        #expect(others == ["add"])
    }

    @Test func aSumThatGrowsTheResultStays() throws {
        var graph = graph
        let result = try graph.binary(.add, product, graph.variable(VariableID(1), [2, 1, 1, 3]))
        #expect(try fused(graph, result).others == ["add"])
    }

    @Test func theProductsLabelStays() throws {
        var graph = Graph()
        graph.currentLabel = "conv2d"
        let product = try graph.matrixProduct(graph.input("x", [2, 3]), graph.variable(VariableID(0), [3, 4]))
        graph.currentLabel = "activation"
        graph.outputs = [try graph.unary(.relu, product)]
        let fused = try graph.fusingEpilogues()
        #expect(fused[fused.outputs[0]].label == "conv2d")
    }
}
