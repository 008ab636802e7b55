import Foundation
import GraftTestSupport
import Testing

@testable import GraftCPU

/// Guard words around what runs write: that they are seen when they are written over, and left alone by all kernels.
@Suite struct GuardedMemoryTests {
    private static let all = ProcessInfo.processInfo.environment["GRAFT_ALL"] == "1"

    private var options: CPUOptions {
        var options = CPUOptions(threads: 2)
        options.guardsMemory = true
        return options
    }

    /// Writes a byte so many bytes from the start of a buffer, or of its scratch memory.
    private struct Overrun: Step {
        enum Place { case buffer(BufferID), scratch(part: Int) }

        let place: Place
        let offset: Int
        var scratchParts = [100, 200]

        var implementation: String { "test:overrun" }
        var scratchByteCount: Int { scratchParts.reduce(0) { $0 + Memory.aligned($1) } }

        func run(_ memory: RunMemory) {
            let base: UnsafeMutableRawPointer =
                switch place {
                case .buffer(let buffer): UnsafeMutableRawPointer(memory[buffer])
                case .scratch(let part): memory.scratch(part, of: scratchParts)
                }
            base.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
        }
    }

    /// A plan of a relu of eight numbers and of a step that writes where it likes.
    private func run(
        offset: Int, _ options: CPUOptions, isPreparation: Bool = false,
        place: (inout PlanCompiler) -> Overrun.Place
    ) throws {
        var graph = Graph()
        let x = try graph.input("x", [8])
        let (three, three2) = (try graph.constant(3), try graph.constant(4))
        graph.outputs = [try graph.unary(.relu, graph.binary(.add, graph.binary(.multiply, x, three), three2))]
        var compiler = try PlanCompiler(
            graph, engine: Engine(), threads: 1, paths: FastPaths(FastPath.all), bitmapInputs: [])
        let place = place(&compiler)
        let reads = isPreparation ? try compiler.location(of: three) : try compiler.location(of: x)
        var writes: [BufferID] = []
        if case .buffer(let buffer) = place, compiler[buffer].kind == .temporary { writes = [buffer] }
        compiler.add(
            Overrun(place: place, offset: offset), reads: [reads], writes: writes, label: "layer", operation: "test",
            preparation: isPreparation ? .always : .never)
        if isPreparation, let written = writes.first {
            // Kept only where somebody reads it.
            let target = compiler.newBuffer(1)
            compiler.add(
                Overrun(place: .buffer(target), offset: 0), reads: [written, try compiler.location(of: x)],
                writes: [target], label: "reader", operation: "test")
        }
        let plan = try CompiledPlan(compiler, options)
        let binding = try Binding(plan, [:], previous: nil, former: FormerValues())
        var outputs = [Tensor([Float](repeating: 0, count: 8), shape: [8])]
        let input = Tensor((0..<8).map { Float($0) - 4 }, shape: [8])
        try Arena(plan).run(
            plan, binding,
            RunRequest(inputs: [FedInput(.dense(input), plan.inputForms[0], in: TensorPool(capacity: 0))]),
            outputs: &outputs, profile: nil)
        #expect(outputs[0].scalars == input.scalars.map { max(0, 3 * $0 + 4) })
    }

    private func expectError(
        offset: Int, says what: String, isPreparation: Bool = false, place: (inout PlanCompiler) -> Overrun.Place
    ) {
        let error = #expect(throws: GraftError.self) {
            try run(offset: offset, options, isPreparation: isPreparation, place: place)
        }
        #expect(error?.code == .backend)
        let message = error?.message ?? ""
        #expect(message.contains("test of 'layer' by the kernel test:overrun"), "\(message)")
        #expect(message.contains(what), "\(message)")
    }

    @Test func aByteBehindABufferIsSeen() {
        expectError(
            offset: 40, says: "wrote 1 bytes behind the end, up to 1 bytes from it, of a value of 40 bytes in the arena"
        ) { .buffer($0.newBuffer(10)) }
        expectError(offset: 40 + GuardedRange.guardByteCount - 1, says: "up to 4096 bytes from it") {
            .buffer($0.newBuffer(10))
        }
    }

    @Test func aByteBeforeABufferIsSeen() {
        expectError(offset: -1, says: "wrote 1 bytes before the beginning, from 1 bytes before it,") {
            .buffer($0.newBuffer(10))
        }
    }

    @Test func aByteOutsideOfAnOutputIsSeen() {
        expectError(offset: 32, says: "of output 0") { .buffer($0.outputs[0].buffer) }
    }

    /// The parts of a step's scratch memory are told apart, and from what other steps use of it.
    @Test(arguments: [(part: 0, size: 100), (part: 1, size: 200)])
    func aByteBehindScratchMemoryIsSeen(part: Int, size: Int) {
        expectError(offset: size, says: "its scratch memory of \(size) bytes") { _ in .scratch(part: part) }
        expectError(offset: -1, says: "its scratch memory of \(size) bytes") { _ in .scratch(part: part) }
    }

    @Test func aByteBehindAPreparedValueIsSeen() {
        expectError(offset: 40, says: "a prepared value of 40 bytes", isPreparation: true) { .buffer($0.newBuffer(10)) }
    }

    @Test(arguments: [0, 39]) func whatIsInsideIsLeftAlone(offset: Int) throws {
        try run(offset: offset, options) { .buffer($0.newBuffer(10)) }
        try run(offset: offset, options, isPreparation: true) { .buffer($0.newBuffer(10)) }
        try run(offset: offset, options) { _ in .scratch(part: 0) }
    }

    @Test func withoutTheOptionNothingIsSeenAndNothingIsLarger() throws {
        try run(offset: 40, CPUOptions(threads: 2)) { .buffer($0.newBuffer(10)) }
        let network = try SampleNetwork(seed: 1)
        let (plain, guarded) = (try CPUPlan(network.graph).report, try CPUPlan(network.graph, options: options).report)
        #expect(plain.arenaByteCount < GuardedRange.guardByteCount * plain.steps)
        #expect(guarded.arenaByteCount > plain.arenaByteCount)
    }

    // MARK: All kernels

    /// Results are those of plans without guard words, so that what is found with them holds without.
    @Test(arguments: [SampleNetwork.Training.nothing, .head, .everything], [ElementType.float32, .bfloat16])
    func resultsAreTheSame(training: SampleNetwork.Training, precision: ElementType) throws {
        guard precision == .float32 || CPUOptions.supportsBFloat16 else { return }
        let network = try SampleNetwork(seed: 4, batchSize: 4, training: training)
        var results: [[Tensor]] = []
        for guardsMemory in [false, true] {
            var options = CPUOptions(threads: 2, precision: precision)
            options.guardsMemory = guardsMemory
            let plan = try CPUPlan(network.graph, options: options)
            try plan.bind(network.variables.mapValues(\.tensor))
            var outputs: [Tensor] = []
            for step in 0..<3 { outputs += try plan.run(network.inputs.mapValues(\.tensor), randomKey: UInt64(step)) }
            results.append(outputs + network.graph.updates.compactMap { plan.value(of: $0.variable) })
        }
        for (number, (plain, guarded)) in zip(results[0], results[1]).enumerated() {
            let isSame = plain == guarded
            let worst = zip(plain.scalars, guarded.scalars).map { abs($0 - $1) }.max() ?? 0
            #expect(isSame, "result \(number) of the shape \(plain.shape): up to \(worst) apart")
        }
    }

    /// Random graphs of all operations, as in `CPUPlanRandomGraphTests` and `PrecisionTests`: a few, or with `GRAFT_ALL=1`
    /// as many as there.
    @Test(arguments: 0..<4) func randomGraphsWriteNothingOutside(part: Int) throws {
        let count = Self.all ? 1000 : 60
        for seed in stride(from: part, to: count, by: 4) {
            let random = try RandomGraph(seed: UInt64(seed) + 50_000, operations: 2 + seed % 12)
            try expectNoDamage(random, random.graph)
            let differentiable = try RandomGraph(
                seed: UInt64(seed) + 60_000, operations: 2 + seed % 8, of: OperationKind.differentiable)
            var (graph, loss) = try differentiable.withLoss()
            let variables = try differentiable.variables.sorted { $0.key < $1.key }.map { id, value in
                try graph.variable(id, value.shape)
            }
            graph.outputs = try [loss] + graph.gradients(of: loss, withRespectTo: variables)
            try expectNoDamage(differentiable, graph)
        }
        if Self.all {
            print("guarded memory: \(2 * count / 4) random graphs in part \(part), each type: nothing damaged")
        }
    }

    private func expectNoDamage(_ random: RandomGraph, _ graph: Graph) throws {
        for precision in [ElementType.float32, .bfloat16]
        where precision == .float32 || CPUOptions.supportsBFloat16 {
            var options = options
            options.precision = precision
            let plan = try CPUPlan(graph, options: options)
            do {
                try plan.bind(random.variableTensors)
                _ = try plan.run(random.inputTensors, randomKey: random.randomKey)
            } catch {
                Issue.record("\(random) in \(precision.rawValue): \(error)")
            }
        }
    }
}
