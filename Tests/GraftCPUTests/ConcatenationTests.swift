import GraftCPU
import GraftTestSupport
import Testing

/// Concatenations whose operands are computed in their place, against the reference interpreter.
@Suite struct ConcatenationTests {
    /// Convolutions by Winograd's filtering, to 10⁻⁵ of the largest number, and a few operations on their results.
    static let tolerance = 5e-5

    static let size = Size2D(3)
    static let same = Window(
        size: size, strides: Size2D(1), padding: EdgePadding(top: 1, bottom: 1, left: 1, right: 1))

    private static func agrees(
        _ graph: Graph, _ inputs: [String: ReferenceArray], _ variables: [VariableID: ReferenceArray],
        _ name: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try Interpreter.run(graph, inputs: inputs, variables: variables, randomKey: 0)
        let plan = try CPUPlan(graph, options: CPUOptions(threads: 2))
        // What the first run leaves in memory must not matter to the second.
        for _ in 0..<2 {
            try plan.bind(variables.mapValues(\.tensor))
            let results = try plan.run(inputs.mapValues(\.tensor))
            for (position, (actual, expected)) in zip(results, expected.outputs).enumerated() {
                expectClose(
                    actual, expected, tolerance: tolerance, "output \(position) \(name)",
                    sourceLocation: sourceLocation)
            }
            for (id, expected) in expected.updates {
                let actual = try #require(plan.value(of: id), sourceLocation: sourceLocation)
                expectClose(actual, expected, tolerance: tolerance, "update \(name)", sourceLocation: sourceLocation)
            }
        }
    }

    // MARK: Counts

    /// A pooling and a convolution of each kind, concatenated: only what oneDNN computes is copied.
    @Test func whatGraftComputesIsNotCopied() throws {
        var random = SplitMix(seed: 3)
        var graph = Graph()
        let x = try graph.input("x", [2, 9, 9, 16])
        let w = try graph.variable(VariableID(0), [3, 3, 16, 32])
        let one = try graph.variable(VariableID(1), [1, 1, 16, 5])
        let padding = EdgePadding(top: 1, bottom: 1, left: 1, right: 1)
        let parts = [
            try graph.maxPool(x, Self.same), try graph.convolution(x, kernel: w, Convolution(padding: padding)),
            try graph.convolution(x, kernel: one), try graph.averagePool(x, Self.same),
        ]
        graph.outputs = [try graph.concatenate(parts, axis: 3)]
        let report = try CPUPlan(graph).report
        #expect(report.concatenatedInPlace == 3)
        #expect(report.copiedByteCount == 2 * 9 * 9 * 5 * 4)
        try Self.agrees(
            graph, ["x": random.array([2, 9, 9, 16])],
            [VariableID(0): random.array([3, 3, 16, 32]), VariableID(1): random.array([1, 1, 16, 5])])
    }

    @Test func nothingIsLeftOfAConcatenationOfPoolings() throws {
        var random = SplitMix(seed: 4)
        var graph = Graph()
        let x = try graph.input("x", [2, 5, 6, 7])
        let inner = try graph.concatenate([graph.maxPool(x, Self.same), graph.averagePool(x, Self.same)], axis: 3)
        let negative = try graph.unary(.negate, x)
        let outer = try graph.concatenate(
            [graph.maxPool(negative, Self.same), inner, graph.averagePool(negative, Self.same)], axis: -1)
        graph.outputs = [outer, try graph.unary(.absolute, outer)]
        let report = try CPUPlan(graph).report
        #expect(report.copies == 0)
        #expect(report.concatenatedInPlace == 5, "the inner concatenation and four poolings")
        try Self.agrees(graph, ["x": random.array([2, 5, 6, 7])], [:])
    }

    /// Somebody else needs it dense, it stands in two places, or it is there before the run: each is copied.
    @Test func whatStandsElsewhereAsWellIsCopied() throws {
        var random = SplitMix(seed: 5)
        var graph = Graph()
        let x = try graph.input("x", [1, 4, 4, 3]), v = try graph.variable(VariableID(0), [1, 4, 4, 3])
        let read = try graph.maxPool(x, Self.same), twice = try graph.averagePool(x, Self.same)
        let kept = try graph.maxPool(v, Self.same)
        graph.outputs = [
            try graph.concatenate([read, kept, twice, twice], axis: 3), try graph.unary(.exponential, read),
        ]
        #expect(try CPUPlan(graph).report.concatenatedInPlace == 0)
        try Self.agrees(graph, ["x": random.array([1, 4, 4, 3])], [VariableID(0): random.array([1, 4, 4, 3])])
    }

    /// A variable's old value is needed until it is written, and a concatenation is written part by part.
    @Test func aConcatenationMayBeAVariablesNextValue() throws {
        var random = SplitMix(seed: 6)
        var graph = Graph()
        let x = try graph.input("x", [1, 4, 4, 3]), v = try graph.variable(VariableID(0), [1, 4, 4, 6])
        let half = try graph.slice(v, start: [0, 0, 0, 3], shape: [1, 4, 4, 3])
        let next = try graph.concatenate(
            [graph.maxPool(x, Self.same), graph.averagePool(graph.binary(.add, x, half), Self.same)], axis: 3)
        graph.outputs = [try graph.unary(.negate, v)]
        graph.updates = [.init(variable: VariableID(0), value: next)]
        try Self.agrees(graph, ["x": random.array([1, 4, 4, 3])], [VariableID(0): random.array([1, 4, 4, 6])])
    }

    // MARK: Random graphs

    /// Chains and trees of poolings, convolutions and concatenations: slices in slices, values with several readers,
    /// outputs in the midst, what never changes beside what does, and now and then another axis.
    @Test(arguments: 0..<4)
    func randomConcatenationsAgreeWithTheInterpreter(part: Int) throws {
        var inPlace = 0
        for seed in stride(from: part, to: 160, by: 4) {
            var random = SplitMix(seed: UInt64(seed) + 40_000)
            let (graph, variables) = try Self.randomGraph(&random)
            inPlace += try CPUPlan(graph).report.concatenatedInPlace
            try Self.agrees(graph, ["x": random.array([2, 6, 5, 16])], variables, "of seed \(seed)")
        }
        #expect(inPlace > 15, "the graphs have what is tested")
    }

    private static func randomGraph(
        _ random: inout SplitMix
    ) throws -> (graph: Graph, variables: [VariableID: ReferenceArray]) {
        var graph = Graph()
        var variables = [VariableID(0): random.array([2, 6, 5, 4])]
        var values = [try graph.input("x", [2, 6, 5, 16]), try graph.variable(VariableID(0), [2, 6, 5, 4])]
        for _ in 0..<random.size(3...9) {
            let operand = random.chance(0.6) ? values[values.count - 1] : random.pick(values)
            switch random.size(0...6) {
            case 0: values.append(try graph.maxPool(operand, same))
            case 1: values.append(try graph.unary(.relu, graph.averagePool(operand, same)))
            case 2: values.append(try graph.unary(.tanh, operand))
            case 3:
                let (id, inputs) = (VariableID(variables.count), graph.shape(of: operand)[3])
                guard inputs <= 96 else { continue }
                let kernel: Shape = inputs.isMultiple(of: 16) ? [3, 3, inputs, 32] : [1, 1, inputs, 16]
                variables[id] = random.array(kernel)
                let padding = kernel[0] / 2
                let w = try graph.variable(id, kernel)
                let y = try graph.convolution(
                    operand, kernel: w,
                    Convolution(padding: EdgePadding(top: padding, bottom: padding, left: padding, right: padding)))
                values.append(try graph.unary(.tanh, y))
                if random.chance(0.5) { values[values.count - 1] = try graph.unary(.relu, y) }
            default:
                guard graph.shape(of: operand)[3] < 200 else { continue }
                var operands = [operand]
                for _ in 0..<random.size(1...2) {
                    let other = random.pick(values)
                    try operands.append(random.chance(0.5) ? graph.maxPool(graph.unary(.negate, other), same) : other)
                }
                values.append(try graph.concatenate(operands, axis: 3))
            }
        }
        graph.outputs = [values[values.count - 1]]
        if random.chance(0.4) { graph.outputs.append(random.pick(values)) }
        if random.chance(0.2) { graph.outputs.append(try graph.concatenate([values[0], values[0]], axis: 1)) }
        return (graph, variables)
    }
}
