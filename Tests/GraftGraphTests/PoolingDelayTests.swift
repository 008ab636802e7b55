import GraftGraph
import GraftTestSupport
import Testing

@Suite struct PoolingDelayTests {
    private static let window = Window(
        size: Size2D(3), strides: Size2D(1), padding: EdgePadding(top: 1, bottom: 1, left: 1, right: 1))

    /// `relu(conv(pool(x), w) + b)`
    private static func network(
        channels: Int = 6, outputs: Int = 3, kernel: Int = 1, window: Window = window, poolIsRead: Bool = false
    ) throws -> Graph {
        var graph = Graph()
        let pooled = try graph.averagePool(graph.input("x", [2, 5, 4, channels]), window)
        let product = try graph.convolution(
            pooled, kernel: graph.variable(VariableID(0), [kernel, kernel, channels, outputs]))
        let sum = try graph.binary(.add, product, graph.variable(VariableID(1), [outputs]))
        graph.outputs = [try graph.unary(.relu, sum)]
        if poolIsRead { graph.outputs.append(pooled) }
        return try graph.fusingEpilogues()
    }

    private static func names(_ graph: Graph) -> [String] {
        graph.nodes.map(\.operation).filter { !$0.isLeaf }.map(\.name)
    }

    @Test func poolingStandsBehindTheConvolutionAndBeforeTheRelu() throws {
        let graph = try Self.network()
        let delayed = try graph.delayingPooling()
        #expect(Self.names(delayed) == ["convolution", "averagePooling", "relu"])
        #expect(delayed.nodes.map(\.operation).contains(.convolution(.forward(Convolution(), Epilogue(bias: true)))))
        var random = SplitMix(seed: 11)
        let inputs = ["x": random.array([2, 5, 4, 6])]
        let variables = [VariableID(0): random.array([1, 1, 6, 3]), VariableID(1): random.array([3])]
        let expected = try Interpreter.run(graph, inputs: inputs, variables: variables, randomKey: 0)
        let actual = try Interpreter.run(delayed, inputs: inputs, variables: variables, randomKey: 0)
        // Sums of 54 products in another order, in 64 bits.
        expectClose(actual.outputs[0], expected.outputs[0], tolerance: 1e-13)
    }

    @Test func whatWouldCostMoreStays() throws {
        let strided = Window(size: Size2D(3), strides: Size2D(2), padding: .none)
        let graphs = try [
            Self.network(outputs: 6), Self.network(kernel: 3), Self.network(window: strided),
            Self.network(poolIsRead: true),
        ]
        for graph in graphs {
            #expect(try Self.names(graph.delayingPooling()) == Self.names(graph))
        }
    }
}
