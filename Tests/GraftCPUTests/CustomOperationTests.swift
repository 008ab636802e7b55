import GraftCPU
import GraftTestSupport
import Testing

/// Operations outside the families, in sizes that threads share: the CPU against the interpreter.
@Suite struct CustomOperationTests {
    /// A user's operation: the sum of two arrays, each element times its position.
    struct Weighted: CustomOperation {
        let name = "weighted"
        let operandCount: Int? = 2

        func shape(of operands: [Shape]) throws(GraftError) -> Shape {
            guard operands[0] == operands[1] else { throw GraftError(.shape, "weighted: two shapes") }
            return operands[0]
        }

        func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
            let sums = zip(operands[0].values, operands[1].values).enumerated().map { Double($0) * ($1.0 + $1.1) }
            return ReferenceArray(sums, shape: result)
        }
    }

    private func expectAgreement(
        _ arrays: [ReferenceArray], tolerance: Double, implementation: String? = nil, bitsDependOnThreads: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation, _ build: (inout Graph, [ValueID]) throws -> [ValueID]
    ) throws {
        var graph = Graph()
        var values: [ValueID] = []
        for (position, array) in arrays.enumerated() { try values.append(graph.input("\(position)", array.shape)) }
        graph.outputs = try build(&graph, values)
        let inputs = Dictionary(uniqueKeysWithValues: arrays.enumerated().map { ("\($0)", ReferenceArray($1.tensor)) })
        let expected = try Interpreter.run(graph, inputs: inputs).outputs
        var results: [[Tensor]] = []
        for threads in [1, 2] {
            let plan = try CPUPlan(graph, options: CPUOptions(threads: threads, profile: true))
            results.append(try plan.run(inputs.mapValues(\.tensor)))
            for (result, expected) in zip(results[results.count - 1], expected) {
                expectClose(ReferenceArray(result), expected, tolerance: tolerance, sourceLocation: sourceLocation)
            }
            guard let implementation else { continue }
            #expect(
                plan.profile.contains { $0.implementation == implementation },
                "\(plan.profile.map(\.implementation))", sourceLocation: sourceLocation)
        }
        #expect(bitsDependOnThreads || results[0] == results[1], "threads change bits", sourceLocation: sourceLocation)
    }

    @Test func anOperationOfOnesOwnRunsByItsReference() throws {
        var random = SplitMix(seed: 1)
        try expectAgreement(
            [random.array([3, 5]), random.array([3, 5])], tolerance: 1e-6, implementation: "reference"
        ) { graph, x in [try graph.binary(.multiply, graph.custom(Weighted(), [x[0], graph.unary(.relu, x[1])]), 2)] }
    }

    @Test func aReferenceOfAnotherShapeIsAnError() throws {
        struct Shrinking: CustomOperation {
            let name = "shrinking"
            let operandCount: Int? = 1
            func shape(of operands: [Shape]) -> Shape { operands[0] }
            func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray { ReferenceArray(0) }
        }
        var graph = Graph()
        graph.outputs = [try graph.custom(Shrinking(), [graph.input("x", [2])])]
        let plan = try CPUPlan(graph)
        #expect {
            _ = try plan.run(["x": Tensor([1, 2], shape: [2])])
        } throws: {
            "\($0)" == "operation shrinking: its reference gives the shape (), its shape rule (2,)"
        }
    }

    @Test(arguments: [[1, 0, 2, 3], [0, 2, 1, 3], [3, 2, 1, 0], [0, 1, 3, 2], [2, 3, 0, 1]])
    func permutationsMoveEveryElement(axes: [Int]) throws {
        var random = SplitMix(seed: 2)
        let isBlockwise = axes.last == 3
        try expectAgreement(
            [random.array([7, 6, 33, 20])], tolerance: 0,
            implementation: isBlockwise ? "graft:copy" : "graft:permutation"
        ) { graph, x in [try graph.permute(graph.unary(.negate, x[0]), axes: axes)] }
    }

    @Test func moreAxesThanACopyHas() throws {
        var random = SplitMix(seed: 3)
        let shape = Shape([Int](repeating: 2, count: 12))
        try expectAgreement([random.array(shape)], tolerance: 0) { graph, x in
            [try graph.permute(x[0], axes: Array((0..<12).reversed()))]
        }
    }

    @Test(arguments: [false, true], [false, true])
    func batchedProductsAgree(transposeLeft: Bool, transposeRight: Bool) throws {
        var random = SplitMix(seed: 4)
        for (rows, inner, columns) in [(5, 3, 4), (64, 48, 64), (1, 200, 1)] {
            let left: Shape = transposeLeft ? [2, 3, inner, rows] : [2, 3, rows, inner]
            let right: Shape = transposeRight ? [2, 3, columns, inner] : [2, 3, inner, columns]
            // oneDNN divides the sums of some sizes by threads, where there is no AVX-512.
            try expectAgreement(
                [random.array(left), random.array(right)], tolerance: 2e-5, bitsDependOnThreads: true
            ) { graph, x in
                [
                    try graph.batchedMatrixProduct(
                        x[0], x[1], transposeLeft: transposeLeft, transposeRight: transposeRight)
                ]
            }
        }
    }

    @Test func aBatchedProductOfNothingIsRefused() throws {
        var graph = Graph()
        let (left, right) = (try graph.input("left", [2, 3, 0]), try graph.input("right", [2, 0, 3]))
        graph.outputs = [try graph.batchedMatrixProduct(left, right)]
        #expect(throws: GraftError.self) { try CPUPlan(graph) }
    }

    @Test(arguments: 0..<3) func slicesAreGatheredAndAdded(axis: Int) throws {
        var random = SplitMix(seed: 5)
        let shape: Shape = [40, 30, 50]
        let numbers = (0..<60).map { $0 == 7 ? -1 : $0 == 9 ? Double.nan : Double(random.size(0...shape[axis])) }
        let indices = ReferenceArray(numbers, shape: [60])
        var updates = shape
        updates[axis] = 60
        try expectAgreement(
            [random.array(shape), indices, random.array(updates)], tolerance: 1e-6, implementation: "graft:scatter"
        ) { graph, x in
            [
                try graph.gather(x[0], at: x[1], axis: axis),
                try graph.scatterAdd(x[2], at: x[1], axis: axis, size: shape[axis]),
            ]
        }
    }

    /// Read as they are; what computes with them reads floats.
    @Test func integersNameSlices() throws {
        var random = SplitMix(seed: 7)
        var graph = Graph()
        let ids = try graph.input("ids", [300], as: .int32)
        let fixed = try graph.constant(Tensor([Int32(5), 2, -1, 40], shape: [4]))
        let table = random.array([40, 70])
        let rows = try graph.gather(graph.variable(VariableID(0), [40, 70]), at: ids)
        graph.outputs = [
            rows, try graph.scatterAdd(rows, at: ids, size: 40),
            try graph.gather(graph.variable(VariableID(0), [40, 70]), at: fixed),
            try graph.binary(.multiply, graph.cast(graph.reshape(ids, to: [30, 10]), to: .float32), 0.5),
            try graph.binary(.add, ids, 1), try graph.cast(graph.cast(rows, to: .int32), to: .float32),
        ]
        let numbers = (0..<300).map { $0 == 7 ? Int32.min : Int32(random.size(0...40)) }
        let given = Tensor(numbers, shape: [300])
        let expected = try Interpreter.run(
            graph, inputs: ["ids": ReferenceArray(given)], variables: [VariableID(0): ReferenceArray(table.tensor)]
        ).outputs
        let plan = try CPUPlan(graph, options: CPUOptions(threads: 2))
        try plan.bind([VariableID(0): table.tensor])
        // Floats that come in their place are converted.
        for input in [given, given.stored(as: .float32)] {
            for (result, expected) in zip(try plan.run(["ids": input]), expected) {
                // Up to eighteen additions to a row.
                expectClose(ReferenceArray(result), expected, tolerance: 2e-6)
            }
        }
        #expect(plan.report.implementations.keys.contains("graft:cast"))
    }

    /// Beyond 2²⁴ floats would name another row.
    @Test func largeIntegersAreExact() throws {
        var graph = Graph()
        let size = (1 << 24) + 4
        let ids = try graph.input("ids", [3], as: .int32)
        graph.outputs = [try graph.gather(graph.variable(VariableID(0), [size]), at: ids)]
        var table = Tensor(zeros: [size])
        table.withUnsafeMutableBuffer { $0[(1 << 24) + 1] = 3 }
        let plan = try CPUPlan(graph)
        try plan.bind([VariableID(0): table])
        let given = Tensor([Int32(1 << 24) + 1, 1 << 24, Int32(size)], shape: [3])
        #expect(try plan.run(["ids": given])[0].scalars == [3, 0, 0])
    }

    @Test(arguments: Interpolation.allCases, [Size2D(60, 33), Size2D(7, 90)])
    func imagesAreResized(interpolation: Interpolation, size: Size2D) throws {
        var random = SplitMix(seed: 8)
        try expectAgreement(
            [random.array([2, 23, 40, 9]), random.array([2, size.height, size.width, 9])], tolerance: 2e-6,
            implementation: "graft:resize"
        ) { graph, x in
            let resized = try graph.resize(graph.unary(.negate, x[0]), to: size, interpolation)
            let loss = try graph.reduce(.sum, graph.binary(.multiply, resized, x[1]))
            return try [resized] + graph.gradients(of: loss, withRespectTo: [x[0]])
        }
    }

    @Test func theLargestOfLongRows() throws {
        var random = SplitMix(seed: 6)
        var array = random.array([50, 700])
        for position in stride(from: 3, to: array.values.count, by: 11) { array.values[position] = 0.5 }
        try expectAgreement([array], tolerance: 0, implementation: "graft:sort") { graph, x in
            let largest = try graph.topK(x[0], 20)
            return [largest.values, largest.positions]
        }
    }
}
