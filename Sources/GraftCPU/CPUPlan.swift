internal import CKernels
import Synchronization

/// A graph made ready to run on the CPU: fused, laid out, its memory assigned.
///
/// Making a plan compiles every operation for the graph's shapes; ``bind(_:)`` gives the variables their values and packs
/// kernels, once; ``run(_:randomKey:)`` then does the graph's work as often as wanted. Runs of a plan without updates may
/// go on at the same time on many threads; those of a plan with updates wait for one another.
public final class CPUPlan: Sendable {
    private let plan: CompiledPlan
    private let options: CPUOptions
    private let state = Mutex(State())
    /// Held by a run that updates variables, and by whoever reads or replaces their values.
    private let turn = Mutex(())

    private struct State {
        var binding: Binding?
        var arenas: [UncheckedArena] = []
        var profile: [StepProfile] = []
    }

    /// An arena on its way between runs; only the pool or one run holds it.
    private struct UncheckedArena: @unchecked Sendable {
        let arena: Arena
    }

    /// Compiles a graph.
    ///
    /// The graph is simplified first: values that nobody asks for are left out, frozen normalization is folded into
    /// convolutions, biases, additions and activations are fused with what stands before them, and chains of
    /// elementwise operations become one pass over memory.
    ///
    /// - Throws: ``GraftError`` where the graph is not valid, oneDNN refuses an operation (`backend`), the plan would need
    ///   more memory than the options allow, or they ask for bfloat16 on a processor that does not have it.
    public init(_ graph: Graph, options: CPUOptions = .init()) throws(GraftError) {
        try graph.validate()
        try Self.checkSizes(graph, options)
        graft_set_thread_count(Int32(options.threads))
        self.options = options
        plan = try CompiledPlan(graph.preparedForCPU(options), options)
        try checkMemory()
    }

    /// Refuses arrays that no run could hold, before anything is made for them.
    private static func checkSizes(_ graph: Graph, _ options: CPUOptions) throws(GraftError) {
        for node in graph.nodes {
            // A valid shape has at most an eighth of what an integer can count.
            guard node.shape.isValid, node.shape.elementCount * MemoryLayout<Float>.stride <= options.memoryLimit else {
                throw GraftError(
                    .backend,
                    "\(node.operation.name) makes an array of the shape \(node.shape), "
                        + "\(options.memoryLimit >> 20) MiB are allowed; use a smaller batch or smaller images")
            }
        }
    }

    private func checkMemory() throws(GraftError) {
        let needed = plan.runByteCount + plan.packedByteCount
        guard needed <= options.memoryLimit else {
            throw GraftError(
                .backend,
                "one run needs \(needed >> 20) MiB beside the variables, \(options.memoryLimit >> 20) MiB are allowed; "
                    + "use a smaller batch or smaller images")
        }
    }

    // MARK: Variables

    /// Gives all variables their values, and computes what depends on them alone: folded and packed kernels.
    ///
    /// The tensors are kept as they are, without a copy. When variables are bound again, only what depends on a tensor
    /// that is another than before is computed again.
    ///
    /// - Throws: ``GraftError`` where a variable has no value or one of the wrong shape.
    public func bind(_ values: [VariableID: Tensor]) throws(GraftError) {
        try turn.withLock { _ throws(GraftError) in
            let previous = state.withLock { $0.binding }
            let binding = try Binding(plan, values, previous: previous)
            state.withLock { $0.binding = binding }
        }
    }

    /// Lets go of all variables and of what was computed from them, so that another plan may update them in place. The
    /// plan runs again after the next ``bind(_:)``.
    public func unbind() {
        turn.withLock { _ in state.withLock { $0.binding = nil } }
    }

    /// The current value of a variable, after all updates so far; `nil` for one that the plan does not know or before
    /// anything is bound. The memory is shared, not copied.
    public func value(of variable: VariableID) -> Tensor? {
        guard let position = plan.variables.firstIndex(where: { $0.id == variable }) else { return nil }
        return turn.withLock { _ in state.withLock { $0.binding?.values[position] } }
    }

    // MARK: Running

    /// Does the graph's work once and returns its outputs in order.
    ///
    /// Updates are written in place where nobody else shares a variable's memory; otherwise the variable is copied
    /// first, so that tensors given or taken elsewhere keep their numbers.
    ///
    /// - Parameters:
    ///   - inputs: a tensor for each input of the graph, by name; others are not looked at.
    ///   - randomKey: the key of all random numbers of this run; see ``RandomStream``.
    /// - Throws: ``GraftError`` where an input is missing or has the wrong shape, or variables were never bound.
    public func run(_ inputs: [String: Tensor], randomKey: UInt64 = 0) throws(GraftError) -> [Tensor] {
        let inputs = try checked(inputs)
        guard plan.hasUpdates else { return try runOnce(inputs, randomKey) }
        return try turn.withLock { _ throws(GraftError) in try runOnce(inputs, randomKey) }
    }

    private func checked(_ inputs: [String: Tensor]) throws(GraftError) -> [Tensor] {
        var tensors: [Tensor] = []
        for (name, shape) in plan.inputs {
            guard let tensor = inputs[name] else {
                throw GraftError(
                    .argument, "the run has no input '\(name)' of the shape \(shape), only \(inputs.keys.sorted())")
            }
            guard tensor.shape == shape else {
                throw GraftError(
                    .shape, "the input '\(name)' has the shape \(tensor.shape), the plan was made for \(shape)")
            }
            tensors.append(tensor)
        }
        return tensors
    }

    private func runOnce(_ inputs: [Tensor], _ randomKey: UInt64) throws(GraftError) -> [Tensor] {
        let binding = try currentBinding()
        let arena = try takeArena()
        defer { giveBack(arena) }
        // Outputs that are the same value share its memory.
        var memory = plan.outputs.enumerated().map { position, output in
            Tensor(uninitialized: output.source == position ? output.shape : [0]) { _ in }
        }
        try arena.run(
            plan, binding, inputs: inputs, outputs: &memory, randomKey: randomKey,
            profile: options.profile ? { self.record($0, seconds: $1) } : nil)
        return plan.outputs.map { memory[$0.source].reshaped(to: $0.shape) }
    }

    private func currentBinding() throws(GraftError) -> Binding {
        if let binding = state.withLock({ $0.binding }) { return binding }
        guard plan.variables.isEmpty else {
            throw GraftError(
                .state, "the plan has \(plan.variables.count) variables without values; bind them before run")
        }
        let binding = try Binding(plan, [:], previous: nil)
        state.withLock { $0.binding = binding }
        return binding
    }

    private func takeArena() throws(GraftError) -> Arena {
        if let kept = state.withLock({ $0.arenas.popLast() }) { return kept.arena }
        return try Arena(plan)
    }

    private func giveBack(_ arena: Arena) {
        let kept = UncheckedArena(arena: arena)
        state.withLock { $0.arenas.append(kept) }
    }

    // MARK: Looking inside

    /// What the plan consists of.
    public var report: PlanReport { plan.report }

    /// The time of each step over all runs so far, in order; empty unless the options asked for it.
    public var profile: [StepProfile] { state.withLock { $0.profile } }

    private func record(_ position: Int, seconds: Double) {
        state.withLock { state in
            if state.profile.isEmpty {
                state.profile = plan.schedule.run.map {
                    StepProfile(
                        label: $0.label, operation: $0.operation, implementation: $0.step.implementation, count: 0,
                        seconds: 0)
                }
            }
            state.profile[position].count += 1
            state.profile[position].seconds += seconds
        }
    }
}

extension Graph {
    /// The passes that the CPU backend wants, in order.
    fileprivate func preparedForCPU(_ options: CPUOptions) throws(GraftError) -> Graph {
        let fused = try pruned().foldingNormalization().fusingEpilogues().fusingElementwise().pruned()
        let typed = try fused.choosingPrecision(options.precision)
        guard typed.nodes.allSatisfy({ $0.elementType == .float32 }) || CPUOptions.supportsBFloat16 else {
            throw GraftError(
                .backend,
                "this processor has no instructions for bfloat16 (AVX512_BF16 or AMX), and without them it is slower than "
                    + "float32; choose the precision float32 or automatic")
        }
        return typed
    }
}
