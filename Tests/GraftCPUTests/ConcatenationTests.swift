import CKernels
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

    static func agrees(
        _ graph: Graph, _ inputs: [String: ReferenceArray], _ variables: [VariableID: ReferenceArray],
        _ name: String = "", tolerance: Double = Self.tolerance, sourceLocation: SourceLocation = #_sourceLocation
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

    /// A pooling and a convolution of each kind, concatenated: only what oneDNN computes is copied, and that is convolutions
    /// whose kernels change from run to run, and on processors for which Graft's own is none all but Winograd's.
    @Test(arguments: [false, true]) func whatGraftComputesIsNotCopied(kernelChanges: Bool) throws {
        var random = SplitMix(seed: 3)
        var graph = Graph()
        let x = try graph.input("x", [2, 9, 9, 16])
        let w = try graph.variable(VariableID(0), [3, 3, 16, 32])
        let one = try graph.variable(VariableID(1), [1, 1, 16, 5])
        if kernelChanges { graph.updates = [.init(variable: VariableID(1), value: try graph.unary(.tanh, one))] }
        let padding = EdgePadding(top: 1, bottom: 1, left: 1, right: 1)
        let parts = [
            try graph.maxPool(x, Self.same), try graph.convolution(x, kernel: w, Convolution(padding: padding)),
            try graph.convolution(x, kernel: one), try graph.averagePool(x, Self.same),
        ]
        graph.outputs = [try graph.concatenate(parts, axis: 3)]
        let report = try CPUPlan(graph).report
        let isOwn = !kernelChanges && graft_convolution_is_fast()
        #expect(report.concatenatedInPlace == (isOwn ? 4 : 3))
        #expect(report.copiedByteCount == (isOwn ? 0 : 2 * 9 * 9 * 5 * 4))
        #expect(report.implementations["graft:convolution"] == (isOwn ? 1 : nil))
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
        var (inPlace, own) = (0, 0)
        for seed in stride(from: part, to: 48, by: 4) {
            var random = SplitMix(seed: UInt64(seed) + 40_000)
            let (graph, variables) = try Self.randomGraph(&random)
            let report = try CPUPlan(graph).report
            inPlace += report.concatenatedInPlace
            own += report.implementations["graft:convolution"] ?? 0
            try Self.agrees(graph, ["x": random.array([4, 6, 5, 16])], variables, "of seed \(seed)")
        }
        // Poolings alone where oneDNN computes all convolutions.
        #expect(inPlace > (graft_convolution_is_fast() ? 5 : 0), "the graphs have what is tested")
        #expect(own > 1 || !graft_convolution_is_fast())
    }

    /// As in `PrecisionTests`: each of up to ten operations may be off by a step of bfloat16 and grow what it reads.
    @Test(.enabled(if: CPUOptions.supportsBFloat16), arguments: 0..<4)
    func randomConcatenationsInBfloat16AgreeWithTheInterpreter(part: Int) throws {
        for seed in stride(from: part, to: 40, by: 4) {
            var random = SplitMix(seed: UInt64(seed) + 50_000)
            let (graph, variables) = try Self.randomGraph(&random)
            let narrow = try graph.fusingEpilogues().choosingPrecision(.bfloat16)
            try Self.agrees(
                narrow, ["x": random.array([4, 6, 5, 16])], variables, "of seed \(seed)", tolerance: 0x1p-4)
        }
    }

    private static func randomGraph(
        _ random: inout SplitMix
    ) throws -> (graph: Graph, variables: [VariableID: ReferenceArray]) {
        var drawn = RandomConcatenations(random: random)
        try drawn.draw()
        random = drawn.random
        return (drawn.graph, drawn.variables)
    }
}

/// A graph of poolings, convolutions and concatenations of images of 6 × 5.
private struct RandomConcatenations {
    var random: SplitMix
    var graph = Graph()
    var variables: [VariableID: ReferenceArray] = [:]
    private var values: [ValueID] = []

    init(random: SplitMix) { self.random = random }

    mutating func draw() throws {
        variables[VariableID(0)] = random.array([4, 6, 5, 4])
        values = [try graph.input("x", [4, 6, 5, 16]), try graph.variable(VariableID(0), [4, 6, 5, 4])]
        for _ in 0..<random.size(3...9) {
            let operand = random.chance(0.6) ? values[values.count - 1] : random.pick(values)
            switch random.size(0...6) {
            case 0: values.append(try graph.maxPool(operand, ConcatenationTests.same))
            case 1: values.append(try graph.unary(.relu, graph.averagePool(operand, ConcatenationTests.same)))
            case 2: values.append(try graph.unary(.tanh, operand))
            case 3: values.append(try convolution(of: operand))
            default:
                if let concatenation = try concatenation(of: operand) { values.append(concatenation) }
            }
        }
        graph.outputs = [values[values.count - 1]]
        if random.chance(0.4) { graph.outputs.append(random.pick(values)) }
        if random.chance(0.2) { graph.outputs.append(try graph.concatenate([values[0], values[0]], axis: 1)) }
    }

    /// A kernel of 3 × 3 for Winograd's filtering, or of any size, whose numbers keep results as large as the operand's;
    /// with a relu or a tanh behind it, or with neither.
    private mutating func convolution(of operand: ValueID) throws -> ValueID {
        let (id, inputs) = (VariableID(variables.count), graph.shape(of: operand)[3])
        let isSquare = random.chance(0.3)
        let size = isSquare ? Size2D(3) : Size2D(1 + 2 * random.size(0...3), 1 + 2 * random.size(0...2))
        // An odd number of input channels cannot be taken in pairs.
        let outputs = random.chance(0.9) ? 2 * random.size(1...35) : 23
        let kernel: Shape = [size.height, size.width, inputs, isSquare ? 32 : outputs]
        var weights = random.array(kernel)
        let scale = Double(size.height * size.width * inputs).squareRoot()
        weights.values = weights.values.map { Double(Float($0 / scale)) }
        variables[id] = weights
        let (rows, columns) = (size.height / 2, size.width / 2)
        let y = try graph.convolution(
            operand, kernel: graph.variable(id, kernel),
            Convolution(padding: EdgePadding(top: rows, bottom: rows, left: columns, right: columns)))
        if random.chance(0.2) { return try graph.unary(.tanh, y) }
        return random.chance(0.5) ? try graph.unary(.relu, y) : y
    }

    /// With other values, poolings and convolutions; `nil` where there would be too many channels.
    private mutating func concatenation(of operand: ValueID) throws -> ValueID? {
        guard graph.shape(of: operand)[3] < 200 else { return nil }
        var operands = [operand]
        for _ in 0..<random.size(1...3) {
            let other = random.pick(values)
            switch random.size(0...3) {
            case 0: operands.append(try graph.maxPool(graph.unary(.negate, other), ConcatenationTests.same))
            case 1: operands.append(other)
            default: operands.append(try convolution(of: other))
            }
        }
        return try graph.concatenate(operands, axis: 3)
    }
}
