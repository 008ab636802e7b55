import GraftGraph
import GraftTestSupport
import Testing

@Suite struct Int32Tests {
    private let ids: [Int32] = [0, 7, -3, 16_777_217, .max, .min]

    // MARK: Tensors

    @Test func integersAreKeptExactly() {
        let tensor = Tensor(ids, shape: [2, 3])
        #expect(tensor.elementType == .int32 && tensor.count == 6 && tensor.byteCount == 24)
        #expect(tensor.int32Scalars == ids)
        #expect(tensor.reshaped(to: [6]).int32Scalars == ids)
        #expect(tensor.rows([1, 0]).int32Scalars == Array(ids[3...] + ids[..<3]))
        #expect(ReferenceArray(tensor).values == ids.map(Double.init))
        #expect(Tensor(zeros: [2], as: .int32).int32Scalars == [0, 0])
        #expect(Tensor(repeating: -2.7, shape: [2], as: .int32).int32Scalars == [-2, -2])
    }

    /// Literals stay floats.
    @Test func aLiteralIsOfFloats() {
        #expect(Tensor([1, 2], shape: [2]).elementType == .float32)
    }

    @Test func integersReadAsTheNearestFloats() {
        let tensor = Tensor(ids, shape: [6])
        let floats: [Float] = [0, 7, -3, 16_777_216, 0x1p31, -0x1p31]
        #expect(tensor.scalars == floats)
        #expect((0..<6).map { tensor[$0] } == floats)
        #expect(tensor.stored(as: .float32).scalars == floats)
    }

    @Test func floatsAreCutOffTowardsZero() {
        let floats: [Float] = [2.9, -2.9, 16_777_216, 3e9, -3e9, .infinity, -.infinity, .nan, -0.0]
        let expected: [Int32] = [2, -2, 16_777_216, .max, .min, .max, .min, 0, 0]
        let tensor = Tensor(floats, shape: [9])
        #expect(tensor.stored(as: .int32).int32Scalars == expected)
        #expect(tensor.int32Scalars == expected)
        #expect(Tensor([3.7, -1], shape: [2]).stored(as: .bfloat16).int32Scalars == [3, -1])
        #expect(Tensor([Int32(257)], shape: [1]).stored(as: .bfloat16).scalars == [256])
    }

    @Test func equalityIsOfTheNumbers() {
        let (next, last) = (Tensor([Int32(16_777_217)], shape: [1]), Tensor([Int32(16_777_216)], shape: [1]))
        #expect(next != last && next == Tensor([Int32(16_777_217)], shape: [1]))
        #expect(last == last.stored(as: .float32) && last.hashValue == last.stored(as: .float32).hashValue)
        // A float rounds the first to the second.
        #expect(next != next.stored(as: .float32))
    }

    @Test func aCopyIsUntouchedByWriting() {
        var tensor = Tensor(ids, shape: [6])
        let copy = tensor
        tensor.withUnsafeMutableStoredBytes { $0.storeBytes(of: 5, as: Int32.self) }
        #expect(tensor.int32Scalars[0] == 5 && copy.int32Scalars == ids)
    }

    // MARK: Graphs

    @Test func inputsAndConstantsMayBeIntegers() throws {
        var graph = Graph()
        let input = try graph.input("ids", [2], as: .int32)
        let constant = try graph.constant(Tensor([Int32(16_777_217), 1], shape: [2]))
        #expect(graph[input].elementType == .int32 && graph[constant].elementType == .int32)
        let (column, sum) = (try graph.reshape(input, to: [2, 1]), try graph.binary(.add, input, constant))
        #expect(graph[column].elementType == .int32 && graph[sum].elementType == .float32)
        // Equal numbers of another type are another constant.
        let floats = try graph.constant(Tensor([1, 2], shape: [2]))
        let integers = try graph.constant(Tensor([Int32(1), 2], shape: [2]))
        #expect(floats != integers)
        graph.outputs = [try graph.cast(input, to: .float32), try graph.cast(constant, to: .float32)]
        try graph.validate()
        let given = ReferenceArray([2.9, -1.5], shape: [2])
        let outputs = try Interpreter.run(graph, inputs: ["ids": given]).outputs
        #expect(outputs.map(\.values) == [[2, -1], [16_777_217, 1]])
    }

    @Test func whatCannotBeOfIntegersIsRefused() throws {
        var graph = Graph()
        let input = try graph.input("ids", [2], as: .int32)
        func message(_ body: (inout Graph) throws -> Void) -> String {
            var copy = graph
            return #expect(throws: GraftError.self) { try body(&copy) }?.message ?? ""
        }
        let gives = "gives float32, not"
        #expect(message { _ = try $0.input("x", [2], as: .bfloat16) }.contains("\(gives) bfloat16"))
        #expect(message { _ = try $0.variable(VariableID(0), [2], as: .int32) }.contains("\(gives) int32"))
        #expect(
            message { _ = try $0.add(.elementwise(.unary(.negate)), [input], as: .int32) }.contains("\(gives) int32"))
        #expect(message { _ = try $0.choosingPrecision(.int32) }.contains("cannot compute in int32"))
        let twice = message {
            $0.outputs = [try $0.cast(input, to: .float32), try $0.input("ids", [2])]
            try $0.validate()
        }
        #expect(twice == "the input 'ids' is used with two element types")
        let output = message {
            $0.outputs = [input]
            try $0.validate()
        }
        #expect(output.contains("an output of the graph, value 0 (input), is of int32; cast it to float32"))
    }

    @Test func integersHaveNoGradient() throws {
        var graph = Graph()
        let (ids, table) = (try graph.input("ids", [3], as: .int32), try graph.variable(VariableID(0), [4]))
        let loss = try graph.reduce(.sum, graph.gather(table, at: ids))
        var copy = graph
        let error = #expect(throws: GraftError.self) { try copy.gradients(of: loss, withRespectTo: [ids]) }
        #expect(error?.message == "gradients: value 0 (input) is of integers, which have no gradient")
        // A cast to integers is made of steps: nothing comes back through it, all through the other way.
        let steps = try graph.cast(graph.cast(table, to: .int32), to: .float32)
        let both = try graph.reduce(.sum, graph.binary(.multiply, steps, table))
        graph.outputs =
            try graph.gradients(of: both, withRespectTo: [table])
            + graph.gradients(
                of: loss, withRespectTo: [table])
        let results = try Interpreter.run(
            graph, inputs: ["ids": ReferenceArray([2, 2, 0], shape: [3])],
            variables: [VariableID(0): ReferenceArray([0.5, 1.5, -2.5, 3], shape: [4])]
        ).outputs
        #expect(results.map(\.values) == [[0, 1, -2, 3], [1, 0, 2, 0]])
    }

    @Test func gatherAndScatterTakeIntegers() throws {
        var graph = Graph()
        let ids = try graph.input("ids", [4], as: .int32)
        let table = try graph.constant(Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2]))
        let taken = try graph.gather(table, at: ids)
        graph.outputs = [taken, try graph.scatterAdd(taken, at: ids, size: 3)]
        let outputs = try Interpreter.run(
            graph, inputs: ["ids": ReferenceArray([2, 0, -1, 3], shape: [4])]
        ).outputs
        #expect(outputs[0].values == [5, 6, 1, 2, 0, 0, 0, 0])
        #expect(outputs[1].values == [1, 2, 0, 0, 5, 6])
    }

    /// Features are float32; what is cut off them is cast back.
    @Test func integersCrossTheCutOfATrunk() throws {
        var graph = Graph()
        let ids = try graph.input("ids", [2, 3], as: .int32)
        let frozen = try graph.matrixProduct(graph.input("x", [2, 4]), graph.variable(VariableID(0), [4, 3]))
        let words = try graph.gather(graph.variable(VariableID(1), [9]), at: ids)
        graph.outputs = [try graph.binary(.multiply, frozen, words)]
        let split = try #require(try graph.splittingTrunk(changing: [VariableID(1)]))
        #expect(split.featureShapes == [[2, 3], [2, 3]])
        try split.trunk.validate()
        try split.rest.validate()
        #expect(split.rest.nodes.contains { $0.operation == .movement(.cast(.int32)) })
    }
}
