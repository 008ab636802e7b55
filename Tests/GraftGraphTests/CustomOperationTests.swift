import GraftGraph
import GraftTestSupport
import Testing

/// Operations of a user's own.
@Suite struct CustomOperationTests {
    /// `factor · x³`, with its gradient.
    struct Cube: CustomOperation {
        var factor = 1.0
        let name = "cube"
        let operandCount: Int? = 1

        func shape(of operands: [Shape]) -> Shape { operands[0] }

        func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
            ReferenceArray(operands[0].values.map { factor * $0 * $0 * $0 }, shape: result)
        }

        func gradient(
            ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
        ) throws(GraftError) -> ValueID? {
            let square = try graph.unary(.square, step.operand(0))
            return try graph.binary(
                .multiply, step.gradient, graph.binary(.multiply, square, Float(3 * factor)))
        }

        func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool { true }
    }

    /// As little as an operation may say; its reference gives whatever it reads.
    struct Joined: CustomOperation {
        let name = "joined"
        let operandCount: Int? = nil

        func shape(of operands: [Shape]) throws(GraftError) -> Shape {
            guard operands.allSatisfy({ $0 == operands[0] }) else { throw GraftError(.shape, "joined: one shape only") }
            return operands[0]
        }

        func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray { operands[0] }
    }

    @Test func anOperationOfOnesOwnRunsAndIsDifferentiated() throws {
        var graph = Graph()
        let x = try graph.variable(VariableID(0), [2])
        let y = try graph.custom(Cube(factor: 2), [x])
        let loss = try graph.reduce(.sum, y)
        graph.outputs = try [y] + graph.gradients(of: loss, withRespectTo: [x])
        let results = try Interpreter.run(graph, variables: [VariableID(0): ReferenceArray([1, -3], shape: [2])])
        #expect(results.outputs.map(\.values) == [[2, -54], [6, 54]])
        #expect(graph[y].operation.name == "cube")
    }

    @Test func equalOperationsOnOneOperandAreOneValue() throws {
        var graph = Graph()
        let x = try graph.input("x", [2])
        let cube = try graph.custom(Cube(), [x])
        #expect(try graph.custom(Cube(), [x]) == cube)
        #expect(try graph.custom(Cube(factor: 2), [x]) != cube)
        #expect(try graph.custom(Joined(), [x]) != cube)
    }

    @Test func whatAnOperationDoesNotSayIsRefusedWithItsName() throws {
        var graph = Graph()
        let x = try graph.variable(VariableID(0), [])
        let loss = try graph.custom(Joined(), [x])
        expectError(
            "gradients: the operation joined has no gradient; give it one, or train nothing that stands before it"
        ) {
            _ = try graph.gradients(of: loss, withRespectTo: [x])
        }
        expectError("operation cube: takes 1 operands, was given 2") { _ = try graph.custom(Cube(), [x, x]) }
        expectError("joined: one shape only") { _ = try graph.custom(Joined(), [x, graph.input("x", [2])]) }
    }

    @Test func shapesThatContradictTheRuleAreErrors() throws {
        struct Shrinking: CustomOperation {
            let name = "shrinking"
            let operandCount: Int? = 1
            func shape(of operands: [Shape]) -> Shape { operands[0] }
            func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray { ReferenceArray(0) }
            func gradient(ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph) -> ValueID? {
                step.operand(0)
            }
        }
        var graph = Graph()
        let x = try graph.variable(VariableID(0), [2])
        graph.outputs = [try graph.custom(Shrinking(), [x])]
        expectError("operation shrinking: its reference gives the shape (), its shape rule (2,)") {
            _ = try Interpreter.run(graph, variables: [VariableID(0): ReferenceArray([1, 2], shape: [2])])
        }
        struct Growing: CustomOperation {
            let name = "growing"
            let operandCount: Int? = 1
            func shape(of operands: [Shape]) -> Shape { [] }
            func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray { ReferenceArray(0) }
            func gradient(ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph) -> ValueID? {
                step.gradient
            }
        }
        let loss = try graph.custom(Growing(), [x])
        expectError(
            "gradients: the operation growing gives a gradient of shape () for an operand of shape (2,)"
        ) { _ = try graph.gradients(of: loss, withRespectTo: [x]) }
    }

    @Test func onlyWhatSaysThatItKeepsExamplesApartJoinsATrunk() throws {
        for (operation, isTrunk) in [(AnyCustomOperation(Cube()), true), (AnyCustomOperation(Joined()), false)] {
            var graph = Graph()
            let x = try graph.input("x", [3, 2])
            let kernel = try graph.constant(Tensor([1, 2, 3, 4], shape: [2, 2]))
            let y = try graph.add(.custom(operation), [graph.matrixProduct(x, kernel)])
            graph.outputs = [try graph.matrixProduct(y, graph.variable(VariableID(0), [2, 1]))]
            let split = try #require(try graph.splittingTrunk(changing: [VariableID(0)]))
            #expect(split.trunk.nodes.contains { $0.operation == .custom(operation) } == isTrunk)
        }
    }

    /// Names of features in the cache are made of these texts.
    @Test func theTextsOfOperationsStay() {
        let window = Window(size: Size2D(3), strides: Size2D(2))
        let texts: [(Operation, String)] = [
            (
                .convolution(.forward(Convolution(strides: Size2D(2)), .none)),
                "convolution(GraftGraph.Convolution(strides: (2, 2), dilation: (1, 1), padding: GraftGraph.EdgePadding("
                    + "top: 0, bottom: 0, left: 0, right: 0), groups: 1), GraftGraph.Epilogue(bias: false, addend: false, "
                    + "activation: nil))"
            ),
            (
                .product(MatrixProduct(transposeRight: true)),
                "matrixProduct(transposeLeft: false, transposeRight: true, GraftGraph.Epilogue(bias: false, "
                    + "addend: false, activation: nil))"
            ),
            (
                .pooling(.maxPooling(window)),
                "maxPooling(GraftGraph.Window(size: (3, 3), strides: (2, 2), padding: GraftGraph.EdgePadding(top: 0, "
                    + "bottom: 0, left: 0, right: 0)))"
            ),
            (.elementwise(.unary(.relu)), "unary(GraftGraph.UnaryFunction.relu)"),
            (.elementwise(.binary(.add)), "binary(GraftGraph.BinaryFunction.add)"),
            (.elementwise(.select), "select"),
            (.reduction(Reduction(.mean, axes: [1, 2])), "reduction(GraftGraph.ReductionFunction.mean, axes: [1, 2])"),
            (.movement(.reshape([2, 3])), "reshape((2, 3))"),
            (.movement(.pad(before: [0, 1], after: [1, 0])), "pad(before: [0, 1], after: [1, 0])"),
            (.movement(.concatenation(axis: 3)), "concatenation(axis: 3)"),
            (.softmax(.softmax), "softmax"),
        ]
        for (operation, text) in texts { #expect("\(operation)" == text) }
    }

    private func expectError(
        _ message: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) {
        #expect(sourceLocation: sourceLocation) {
            try body()
        } throws: {
            "\($0)" == message
        }
    }
}
