internal import CKernels
import Synchronization

/// A graph made ready to run on the CPU: fused, laid out, its memory assigned.
///
/// Making a plan compiles every operation for the graph's shapes; ``bind(_:)`` gives the variables their values and packs
/// kernels, once; ``run(_:randomKey:)`` then does the graph's work as often as wanted. Runs of a plan without updates may
/// run at the same time on many threads; those of a plan with updates run one after the other.
public final class CPUPlan: Sendable {
    private let plan: CompiledPlan
    private let options: CPUOptions
    /// The plan's number in the options' timeline.
    private let timelineNumber: Int?
    private let state = Mutex(State())
    /// Held by a run that updates variables, and by the caller that reads or replaces their values.
    private let turn = Mutex(())
    /// The variables' values before their last updates.
    private let former = FormerValues()
    /// Memory of batches that were used.
    private let feedMemory = TensorPool(capacity: 10)

    private struct State {
        var binding: Binding?
        var arenas: [UncheckedArena] = []
        var profile: [StepProfile] = []
        var arenaCount = 0
    }

    /// An arena on its way between runs; only the pool or one run holds it.
    private struct UncheckedArena: @unchecked Sendable {
        let arena: Arena
    }

    /// Compiles a graph.
    ///
    /// The graph is simplified first: dead values are removed, frozen normalization is folded into
    /// convolutions, biases, additions and activations are fused with the operation before them, and chains of
    /// elementwise operations become one pass over memory.
    ///
    /// - Throws: ``GraftError`` where the graph is not valid, oneDNN refuses an operation (`backend`), the plan would need
    ///   more memory than the options allow, or they ask for bfloat16 on a processor that does not have it.
    public init(_ graph: Graph, options: CPUOptions = .init()) throws(GraftError) {
        try graph.validate()
        try Self.checkSizes(graph, options)
        graft_set_thread_count(Int32(options.threadsOfRun))
        self.options = options
        let start = options.timeline?.now ?? 0
        let paths = try FastPaths(FastPath.all, without: options.disabledFastPaths, machine: options.machine)
        plan = try CompiledPlan(graph.preparedForCPU(paths, options), paths, options)
        timelineNumber = options.timeline?.register(
            plan.profile, share: Double(options.threadsOfRun) / Double(options.threads))
        options.timeline?.add("make a plan", category: "preparation", since: start)
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

    /// Gives all variables their values, and computes what is loop-invariant: folded and prepacked weights.
    ///
    /// The tensors are kept as they are, without a copy. When variables are bound again, only what depends on a tensor
    /// that is another than before is computed again.
    ///
    /// - Throws: ``GraftError`` where a variable has no value or one of the wrong shape.
    public func bind(_ values: [VariableID: Tensor]) throws(GraftError) {
        try turn.withLock { _ throws(GraftError) in
            let start = options.timeline?.now ?? 0
            defer { options.timeline?.add("bind variables", category: "preparation", since: start) }
            let previous = state.withLock { $0.binding }
            let binding = try Binding(plan, values, previous: previous, former: former)
            state.withLock { $0.binding = binding }
        }
    }

    /// Releases all variables and what was computed from them, so that another plan may update them in place. The
    /// plan runs again after the next ``bind(_:)``.
    public func unbind() {
        turn.withLock { _ in state.withLock { $0.binding = nil } }
    }

    /// The current value of a variable, after all updates so far; `nil` for one that the plan does not know or before
    /// anything is bound. The memory is shared, not copied.
    public func value(of variable: VariableID) -> Tensor? {
        guard let position = plan.variables.firstIndex(where: { $0.id == variable }) else { return nil }
        return turn.withLock { _ in
            guard let binding = state.withLock({ $0.binding }) else { return nil }
            binding.catchUp(plan, variable: position)
            return binding.values[position]
        }
    }

    // MARK: Running

    /// Does the graph's work once and returns its outputs in order.
    ///
    /// Updates are written in place where a variable's memory is not shared; otherwise to other memory, so that
    /// tensors given or taken elsewhere keep their values.
    ///
    /// - Parameters:
    ///   - inputs: a tensor for each input of the graph, by name; others are ignored.
    ///   - randomKey: the key of all random numbers of this run; see ``RandomStream``.
    /// - Throws: ``GraftError`` where an input is missing or has the wrong shape, or variables were never bound.
    public func run(_ inputs: [String: Tensor], randomKey: UInt64 = 0) throws(GraftError) -> [Tensor] {
        try run(fedInputs(of: feed(inputs: inputs.mapValues { .dense($0) }), [:]), next: nil, randomKey)
    }

    /// Brings inputs into the form that this plan's steps read; see ``Plan/feed(_:)``.
    package func feed(_ inputs: [String: HostArray]) throws -> any Feed { try feed(inputs: inputs) }

    private func feed(inputs: [String: HostArray]) throws(GraftError) -> CPUFeed {
        var fed: [FedInput?] = []
        for ((name, shape), forms) in zip(plan.inputs, plan.inputForms) {
            guard let array = inputs[name] else {
                fed.append(nil)
                continue
            }
            guard array.shape == shape else {
                throw GraftError(
                    .shape, "the input '\(name)' has the shape \(array.shape), the plan was made for \(shape)")
            }
            fed.append(FedInput(array, forms, in: feedMemory))
        }
        return CPUFeed(plan: ObjectIdentifier(self), fed, names: Array(inputs.keys))
    }

    /// Does the graph's work once; see ``Plan/run(_:scalars:next:randomKey:)``.
    ///
    /// Where a large variable is multiplied with an input and updated, the product with the next run's input overlaps the update,
    /// so that the variable is read once for both; no bit of any result depends on it.
    package func run(
        _ feed: any Feed, scalars: [String: Float] = [:], next: (any Feed)? = nil, randomKey: UInt64 = 0
    ) throws -> [Tensor] {
        guard let feed = feed as? CPUFeed, feed.plan == ObjectIdentifier(self) else {
            throw GraftError(
                .argument, "the plan was given a batch that another plan was fed with; call its own `feed`")
        }
        let upcoming = (next as? CPUFeed).flatMap { $0.plan == feed.plan ? $0 : nil }
        return try run(fedInputs(of: feed, scalars), next: upcoming, randomKey)
    }

    private func run(_ inputs: [FedInput], next: CPUFeed?, _ randomKey: UInt64) throws(GraftError) -> [Tensor] {
        guard plan.hasUpdates else { return try runOnce(inputs, next: nil, randomKey) }
        let upcoming = plan.overlap.flatMap { next?.inputs[$0.input] }
        return try turn.withLock { _ throws(GraftError) in try runOnce(inputs, next: upcoming, randomKey) }
    }

    /// All inputs of the plan: those of a feed, the others made of scalars.
    private func fedInputs(of feed: CPUFeed, _ scalars: [String: Float]) throws(GraftError) -> [FedInput] {
        var inputs: [FedInput] = []
        for (position, (name, shape)) in plan.inputs.enumerated() {
            if let input = feed.inputs[position] {
                inputs.append(input)
            } else if let scalar = scalars[name], shape.rank == 0 {
                inputs.append(FedInput(.dense(Tensor(scalar)), plan.inputForms[position], in: feedMemory))
            } else {
                let given = feed.names + Array(scalars.keys)
                throw GraftError(
                    .argument, "the run has no input '\(name)' of the shape \(shape), only \(given.sorted())")
            }
        }
        return inputs
    }

    private func runOnce(_ inputs: [FedInput], next: FedInput?, _ randomKey: UInt64) throws(GraftError) -> [Tensor] {
        let binding = try currentBinding()
        let arena = try takeArena()
        defer { giveBack(arena) }
        // Outputs that are the same value share its memory.
        var memory = plan.outputs.enumerated().map { position, output in
            Tensor(uninitialized: output.source == position ? output.shape : [0]) { _ in }
        }
        try arena.run(
            plan, binding, RunRequest(inputs: inputs, next: next, randomKey: randomKey), outputs: &memory,
            profile: options.profile || timelineNumber != nil ? { self.record($0) } : nil)
        return plan.outputs.map { memory[$0.source].reshaped(to: $0.shape) }
    }

    private func currentBinding() throws(GraftError) -> Binding {
        if let binding = state.withLock({ $0.binding }) { return binding }
        guard plan.variables.isEmpty else {
            throw GraftError(
                .state, "the plan has \(plan.variables.count) variables without values; bind them before run")
        }
        let binding = try Binding(plan, [:], previous: nil, former: former)
        state.withLock { $0.binding = binding }
        return binding
    }

    private func takeArena() throws(GraftError) -> Arena {
        if let kept = state.withLock({ $0.arenas.popLast() }) { return kept.arena }
        state.withLock { $0.arenaCount += 1 }
        return try Arena(plan)
    }

    private func giveBack(_ arena: Arena) {
        let kept = UncheckedArena(arena: arena)
        state.withLock { $0.arenas.append(kept) }
    }

    // MARK: Looking inside

    /// The inputs that some step reads as bitmap-compressed rows: of those that the options name, those that are
    /// multiplied with large matrices.
    package var bitmapInputs: Set<String> {
        Set(zip(plan.inputs, plan.inputForms).filter { $0.1.isBitmap }.map(\.0.name))
    }

    /// What the plan consists of.
    public var report: PlanReport {
        turn.withLock { _ in
            state.withLock { state in
                var report = plan.report
                report.allocations = state.arenaCount + (state.binding?.allocationCount ?? 0)
                return report
            }
        }
    }

    /// The time of each step over all runs so far, in order; empty unless the options asked for it.
    public var profile: [StepProfile] { state.withLock { $0.profile } }

    /// Notes a run: where each step began, and where the last ended.
    private func record(_ times: [Double]) {
        if let timelineNumber {
            let name = plan.hasUpdates ? "training step" : "forward pass"
            options.timeline?.add(runOf: timelineNumber, name: name, times: times)
        }
        guard options.profile else { return }
        state.withLock { state in
            if state.profile.isEmpty { state.profile = plan.profile }
            for position in state.profile.indices {
                state.profile[position].count += 1
                state.profile[position].seconds += times[position + 1] - times[position]
            }
        }
    }
}

extension Graph {
    /// The passes of the CPU backend, in order.
    fileprivate func preparedForCPU(_ paths: FastPaths, _ options: CPUOptions) throws(GraftError) -> Graph {
        let fused = try paths.rewriting(pruned().foldingNormalization().fusingEpilogues()).fusingElementwise().pruned()
        let typed = try fused.choosingPrecision(options.precision)
        guard !typed.multipliesBFloat16 || CPUOptions.supportsBFloat16 else {
            throw GraftError(
                .backend,
                "this processor has no instructions for bfloat16 (AVX512_BF16 or AMX), and without them it is slower than "
                    + "float32; choose the precision float32 or automatic")
        }
        return typed
    }

    /// Whether oneDNN would multiply bfloat16. Graft's own kernels for optimizer state in bfloat16 need no instructions for it.
    private var multipliesBFloat16: Bool {
        nodes.contains { node in
            switch node.operation {
            case .convolution, .product:
                node.elementType == .bfloat16 || node.operands.contains { self[$0].elementType == .bfloat16 }
            default: false
            }
        }
    }
}
