import GraftGraph
import GraftTestSupport
import Testing

/// The reference against numbers done by hand.
@Suite struct InterpreterTests {
    private func run(
        _ operands: [ReferenceArray], _ build: (inout Graph, [ValueID]) throws -> ValueID
    ) throws -> ReferenceArray {
        var graph = Graph()
        var inputs: [String: ReferenceArray] = [:]
        let values = try operands.enumerated().map { position, operand throws in
            inputs["\(position)"] = operand
            return try graph.input("\(position)", operand.shape)
        }
        graph.outputs = [try build(&graph, values)]
        return try Interpreter.run(graph, inputs: inputs).outputs[0]
    }

    private func counted(_ shape: Shape) -> ReferenceArray {
        ReferenceArray((1...shape.elementCount).map(Double.init), shape: shape)
    }

    @Test func convolutionWithPaddingAndStride() throws {
        // 1 2 3      1 2
        // 4 5 6  and 3 4, zeros around, every second window.
        // 7 8 9
        let result = try run([counted([1, 3, 3, 1]), counted([2, 2, 1, 1])]) { graph, values in
            let padding = EdgePadding(top: 1, bottom: 0, left: 1, right: 0)
            return try graph.convolution(
                values[0], kernel: values[1], Convolution(strides: Size2D(2), padding: padding))
        }
        #expect(result == ReferenceArray([4, 18, 4 * 7 + 2 * 4, 5 + 2 * 6 + 3 * 8 + 4 * 9], shape: [1, 2, 2, 1]))
    }

    @Test func convolutionWithDilation() throws {
        let result = try run([counted([1, 1, 5, 1]), counted([1, 2, 1, 1])]) { graph, values in
            try graph.convolution(values[0], kernel: values[1], Convolution(dilation: Size2D(1, 3)))
        }
        #expect(result == ReferenceArray([1 + 2 * 4, 2 + 2 * 5], shape: [1, 1, 2, 1]))
    }

    @Test func depthwiseConvolutionKeepsChannelsApart() throws {
        // Two channels, two outputs of each: kernel [1, 1, 1, 4].
        let result = try run([counted([1, 1, 1, 2]), counted([1, 1, 1, 4])]) { graph, values in
            try graph.convolution(values[0], kernel: values[1], Convolution(groups: 2))
        }
        #expect(result == ReferenceArray([1, 2, 2 * 3, 2 * 4], shape: [1, 1, 1, 4]))
    }

    @Test(arguments: [(false, false), (false, true), (true, false), (true, true)])
    func matrixProductTransposes(left: Bool, right: Bool) throws {
        let a = ReferenceArray(left ? [1, 4, 2, 5, 3, 6] : [1, 2, 3, 4, 5, 6], shape: left ? [3, 2] : [2, 3])
        let b = ReferenceArray(
            right ? [7, 9, 11, 8, 10, 12] : [7, 8, 9, 10, 11, 12], shape: right ? [2, 3] : [3, 2])
        let result = try run([a, b]) { graph, values in
            try graph.matrixProduct(values[0], values[1], transposeLeft: left, transposeRight: right)
        }
        #expect(result == ReferenceArray([58, 64, 139, 154], shape: [2, 2]))
    }

    @Test func poolingLeavesPaddingOut() throws {
        let window = Window(size: Size2D(2), strides: Size2D(2), padding: EdgePadding(bottom: 1, right: 1))
        let image = ReferenceArray([-1, -2, -3, -4, -5, -6, -7, -8, -9], shape: [1, 3, 3, 1])
        let largest = try run([image]) { try $0.maxPool($1[0], window) }
        #expect(largest == ReferenceArray([-1, -3, -7, -9], shape: [1, 2, 2, 1]))
        let mean = try run([image]) { try $0.averagePool($1[0], window) }
        #expect(mean == ReferenceArray([-3, -4.5, -7.5, -9], shape: [1, 2, 2, 1]))
    }

    @Test func poolingGradientsGoToTheFirstLargestOrToAll() throws {
        let window = Window(size: Size2D(1, 2), strides: Size2D(1))
        let (row, gradient) = (
            ReferenceArray([5, 5, 1], shape: [1, 1, 3, 1]), ReferenceArray([10, 20], shape: [1, 1, 2, 1])
        )
        let largest = try run([row, gradient]) { try $0.add(.pooling(.maxPoolingGradient(window)), $1) }
        #expect(largest == ReferenceArray([10, 20, 0], shape: [1, 1, 3, 1]))
        let mean = try run([gradient]) {
            try $0.add(.pooling(.averagePoolingGradient(window, input: [1, 1, 3, 1])), $1)
        }
        #expect(mean == ReferenceArray([5, 15, 10], shape: [1, 1, 3, 1]))
    }

    @Test(
        arguments: [
            (.negate, 0.5, -0.5), (.absolute, -2, 2), (.sign, -3, -1), (.sign, 0, 0), (.square, 3, 9),
            (.squareRoot, 9, 3), (.reciprocalSquareRoot, 4, 0.5), (.exponential, 1, 2.718281828459045),
            (.exponentialMinusOne, 1e-10, 1.00000000005e-10), (.logarithm, 2.718281828459045, 1),
            (.logarithmOnePlus, 1e-10, 9.9999999995e-11), (.relu, -1, 0), (.relu, 2, 2), (.sigmoid, 0, 0.5),
            (.sigmoid, -800, 0), (.tanh, 1, 0.7615941559557649), (.tanh, 800, 1),
            (.errorFunction, 1, 0.8427007929497149),
        ] as [(UnaryFunction, Double, Double)])
    func unaryFunctions(function: UnaryFunction, operand: Double, expected: Double) throws {
        let result = try run([ReferenceArray(operand)]) { try $0.unary(function, $1[0]) }
        expectClose(result.values[0], expected, tolerance: 1e-15)
    }

    @Test(
        arguments: [
            (.add, 2, 3, 5), (.subtract, 2, 3, -1), (.multiply, 2, 3, 6), (.divide, 3, 2, 1.5), (.maximum, 2, 3, 3),
            (.minimum, 2, 3, 2), (.power, 2, 3, 8), (.greater, 3, 3, 0), (.greater, 4, 3, 1),
            (.greaterOrEqual, 3, 3, 1),
            (.greaterOrEqual, 2, 3, 0), (.equal, 3, 3, 1), (.equal, 2, 3, 0),
        ] as [(BinaryFunction, Double, Double, Double)])
    func binaryFunctions(function: BinaryFunction, left: Double, right: Double, expected: Double) throws {
        let result = try run([ReferenceArray(left), ReferenceArray(right)]) { try $0.binary(function, $1[0], $1[1]) }
        #expect(result.values == [expected])
    }

    @Test func operandsAreBroadcast() throws {
        let (column, row) = (counted([2, 1]), counted([3]))
        let sum = try run([column, row]) { try $0.binary(.add, $1[0], $1[1]) }
        #expect(sum == ReferenceArray([2, 3, 4, 3, 4, 5], shape: [2, 3]))
        let chosen = try run([ReferenceArray([0, 2], shape: [2, 1]), row, ReferenceArray(9)]) {
            try $0.select($1[0], $1[1], $1[2])
        }
        #expect(chosen == ReferenceArray([9, 9, 9, 1, 2, 3], shape: [2, 3]))
        let repeated = try run([column]) { try $0.broadcast($1[0], to: [2, 2, 2]) }
        #expect(repeated == ReferenceArray([1, 1, 2, 2, 1, 1, 2, 2], shape: [2, 2, 2]))
    }

    @Test func reductions() throws {
        let array = counted([2, 3])
        #expect(try run([array]) { try $0.reduce(.sum, $1[0], axes: [0]) } == ReferenceArray([5, 7, 9], shape: [3]))
        #expect(try run([array]) { try $0.reduce(.mean, $1[0], axes: [-1]) } == ReferenceArray([2, 5], shape: [2]))
        #expect(try run([array]) { try $0.reduce(.maximum, $1[0]) } == ReferenceArray(6))
        #expect(
            try run([array]) { try $0.reduce(.sum, $1[0], axes: [1], keepDimensions: true) }
                == ReferenceArray([6, 15], shape: [2, 1]))
    }

    @Test func elementsMove() throws {
        let array = counted([2, 2])
        #expect(
            try run([array]) { try $0.pad($1[0], before: [1, 0], after: [0, 1]) }
                == ReferenceArray([0, 0, 0, 1, 2, 0, 3, 4, 0], shape: [3, 3]))
        #expect(
            try run([array]) { try $0.slice($1[0], start: [0, 1], shape: [2, 1]) }
                == ReferenceArray([2, 4], shape: [2, 1]))
        #expect(
            try run([array, counted([2, 1])]) { try $0.concatenate($1, axis: -1) }
                == ReferenceArray([1, 2, 1, 3, 4, 2], shape: [2, 3]))
        #expect(try run([array]) { try $0.reshape($1[0], to: [4]) } == counted([4]))
    }

    @Test func softmaxIsStable() throws {
        let array = ReferenceArray([1000, 1000, -1000, -1000], shape: [2, 2])
        #expect(try run([array]) { try $0.softmax($1[0]) } == ReferenceArray(repeating: 0.5, shape: [2, 2]))
        let logarithms = try run([ReferenceArray([1000, 0], shape: [2])]) { try $0.logSoftmax($1[0]) }
        #expect(logarithms == ReferenceArray([0, -1000], shape: [2]))
    }

    @Test func anEpilogueAddsThenActivates() throws {
        let epilogue = Epilogue(bias: true, addend: true, activation: .relu6)
        let operands = [
            counted([2, 1]), counted([1, 2]), ReferenceArray([-10, 1], shape: [2]), counted([2, 2]),
        ]
        let result = try run(operands) {
            try $0.add(.product(MatrixProduct(epilogue)), $1)
        }
        #expect(result == ReferenceArray([0, 5, 0, 6], shape: [2, 2]))
    }

    @Test func aProgramRunsItsInstructionsInOrder() throws {
        let program = ElementwiseProgram(
            operandCount: 2,
            instructions: [.constant(10), .binary(.multiply, 0, 2), .binary(.greater, 1, 0), .select(4, 3, 1)])
        let result = try run([counted([3]), ReferenceArray(2)]) { try $0.add(.elementwise(.fused(program)), $1) }
        #expect(result == ReferenceArray([10, 2, 2], shape: [3]))
    }

    @Test func randomNumbersAreThoseOfTheStream() throws {
        var graph = Graph()
        graph.outputs = [try graph.randomUniform(stream: 3, [2, 3])]
        let stream = RandomStream(key: 8, stream: 3)
        let expected = (0..<6).map { Double(stream.uniform(at: $0)) }
        #expect(try Interpreter.run(graph, randomKey: 8).outputs == [ReferenceArray(expected, shape: [2, 3])])
    }

    @Test func updatesAreReadBeforeTheyAreWritten() throws {
        var graph = Graph()
        let (a, b) = try (graph.variable(VariableID(0), []), graph.variable(VariableID(1), []))
        graph.updates = [
            Graph.Update(variable: VariableID(0), value: b), Graph.Update(variable: VariableID(1), value: a),
        ]
        let variables = [VariableID(0): ReferenceArray(1), VariableID(1): ReferenceArray(2)]
        let updates = try Interpreter.run(graph, variables: variables).updates
        #expect(updates == [VariableID(0): ReferenceArray(2), VariableID(1): ReferenceArray(1)])
    }

    @Test func whatIsMissingOrMisshapenIsNamed() throws {
        var graph = Graph()
        graph.outputs = [try graph.input("x", [2])]
        #expect { try Interpreter.run(graph) } throws: { "\($0)" == "the input 'x' of shape (2,) was not given" }
        #expect { try Interpreter.run(graph, inputs: ["x": ReferenceArray(1)]) } throws: {
            "\($0)" == "the input 'x' was given with the shape (), the graph needs (2,)"
        }
    }
}
