import CKernels
import GraftTestSupport
import Testing

@testable import GraftCPU

/// Gradients of a dense layer's input that are computed along with the update of its kernel.
@Suite struct FusedInputGradientTests {
    enum Rule: String, CaseIterable, Sendable { case descent, rmsprop, clipped }

    /// Rows that are no multiple of five or eight; large enough for the product to be Graft's own.
    static let (examples, inner, columns) = (7, 8203, 128)

    /// A step on `mean((x ⊙ b) · w ⊙ y)` that trains `w` and `b`, whose gradient goes through the layer's input.
    ///
    /// - Parameter isApart: whether the input's gradient is a result of its own, and so no part of the update.
    static func graph(_ rule: Rule, isApart: Bool) throws -> Graph {
        var graph = Graph()
        let (x, y) = (try graph.input("x", [examples, inner]), try graph.input("y", [examples, columns]))
        let b = try graph.variable(VariableID(0), [inner])
        let w = try graph.variable(VariableID(1), [inner, columns])
        let hidden = try graph.binary(.multiply, x, b)
        let loss = try graph.reduce(.sum, graph.binary(.multiply, graph.matrixProduct(hidden, w), y))
        let gradients = try graph.gradients(of: loss, withRespectTo: [b, w, hidden])
        graph.updates = [.init(variable: VariableID(0), value: try graph.binary(.subtract, b, gradients[0]))]
        var step = gradients[1]
        if rule == .clipped { step = try graph.binary(.minimum, step, graph.constant(0.5)) }
        if rule == .rmsprop {
            let v = try graph.variable(VariableID(2), [inner, columns])
            let next = try graph.binary(
                .add, graph.binary(.multiply, graph.constant(0.9), v),
                graph.binary(.multiply, graph.constant(0.1), graph.unary(.square, step)))
            let scaled = try graph.binary(.multiply, graph.constant(0.01), step)
            let root = try graph.unary(.squareRoot, graph.binary(.add, next, graph.constant(1e-7)))
            step = try graph.binary(.divide, scaled, root)
            graph.updates.append(.init(variable: VariableID(2), value: next))
        } else {
            step = try graph.binary(.multiply, graph.constant(0.01), step)
        }
        graph.updates.append(.init(variable: VariableID(1), value: try graph.binary(.subtract, w, step)))
        graph.outputs = [loss] + (isApart ? [gradients[2]] : [])
        return graph
    }

    static let inputs: [String: Tensor] = {
        var random = SplitMix(seed: 8)
        return ["x": random.array([examples, inner]).tensor, "y": random.array([examples, columns]).tensor]
    }()

    /// The optimizer's state must not be negative.
    static let variables: [VariableID: Tensor] = {
        var random = SplitMix(seed: 9)
        let state = random.array([inner, columns]).values.map { $0 * $0 + 0.1 }
        return [
            VariableID(0): random.array([inner]).tensor, VariableID(1): random.array([inner, columns]).tensor,
            VariableID(2): ReferenceArray(state, shape: [inner, columns]).tensor,
        ]
    }()

    fileprivate static func updated(_ rule: Rule, isApart: Bool = false, threads: Int) throws -> [VariableID: Tensor] {
        let (graph, isFused) = (try Self.graph(rule, isApart: isApart), !isApart)
        let plan = try CPUPlan(graph, options: CPUOptions(threads: threads))
        #expect(plan.report.fusedInputGradients == (isFused ? 1 : 0))
        #expect(plan.report.implementations["graft:row product"] == (isFused ? nil : 1))
        let kernel = isFused ? "graft:gradient+row product+" : "graft:gradient+"
        #expect(plan.report.implementations[kernel + (rule == .clipped ? "update" : rule.rawValue)] == 1)
        #expect(plan.report.updatesInPlace == graph.updates.count)
        try plan.bind(Self.variables)
        _ = try plan.run(Self.inputs)
        return Dictionary(
            uniqueKeysWithValues: try graph.updates.map {
                ($0.variable, try #require(plan.value(of: $0.variable)))
            })
    }

    @Test func updatesAgreeWithTheInterpreter() throws {
        let graph = try Self.graph(.rmsprop, isApart: false)
        let actual = try Self.updated(.rmsprop, threads: 2)
        let expected = try Interpreter.run(
            graph, inputs: Self.inputs.mapValues { ReferenceArray($0) },
            variables: Self.variables.mapValues { ReferenceArray($0) }, randomKey: 0)
        for (id, expected) in expected.updates {
            // Sums of up to 896 products of numbers near 1, rounded one by one.
            try expectClose(ReferenceArray(#require(actual[id])), expected, tolerance: 1e-5)
        }
    }

    /// An update that waits for what the input's gradient decides, as clipping by the norm of all gradients does.
    @Test func anUpdateThatReadsWhatComesOfItStaysApart() throws {
        var graph = Graph()
        let x = try graph.input("x", [Self.examples, Self.inner])
        let y = try graph.input("y", [Self.examples, Self.columns])
        let (b, w) = (
            try graph.variable(VariableID(0), [Self.inner]),
            try graph.variable(VariableID(1), [Self.inner, Self.columns])
        )
        let product = try graph.matrixProduct(graph.binary(.multiply, x, b), w)
        let loss = try graph.reduce(.sum, graph.binary(.multiply, product, y))
        let gradients = try graph.gradients(of: loss, withRespectTo: [b, w])
        let norm = try graph.reduce(.sum, graph.unary(.square, gradients[0]))
        let step = try graph.binary(.divide, gradients[1], graph.binary(.add, norm, graph.constant(1)))
        graph.updates = [
            .init(variable: VariableID(0), value: try graph.binary(.subtract, b, gradients[0])),
            .init(variable: VariableID(1), value: try graph.binary(.subtract, w, step)),
        ]
        graph.outputs = [loss]
        #expect(try CPUPlan(graph).report.fusedInputGradients == 0)
    }
}

// Within that suite because the instruction set is chosen for the whole process: one test at a time.
extension InstructionSetTests {
    @Test(arguments: FusedInputGradientTests.Rule.allCases)
    func noBitDependsOnComputingAnInputsGradientWithTheUpdate(_ rule: FusedInputGradientTests.Rule) throws {
        defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
        for set in 0..<graft_instruction_set_count() {
            graft_use_instruction_set(set)
            let apart = try FusedInputGradientTests.updated(rule, isApart: true, threads: 1)
            for threads in 1...3 {
                let isSame = try FusedInputGradientTests.updated(rule, threads: threads) == apart
                #expect(isSame, "instruction set \(set), \(threads) threads")
            }
        }
    }
}
