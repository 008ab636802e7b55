/// The immutable part of a plan, shared by all its runs.
struct CompiledPlan: Sendable {
    let engine: Engine
    let threads: Int
    let inputs: [(name: String, shape: Shape)]
    /// In which forms steps read each input.
    let inputForms: [InputForms]
    let variables: [PlannedVariable]
    /// The updated variables that are written whole, in place or to other memory, by the step that computes them.
    let replaced: Set<Int>
    let constants: [Tensor]
    /// The outputs in order; `source` is the position of the output whose memory it is, mostly its own.
    let outputs: [(source: Int, shape: Shape)]
    let schedule: Schedule
    /// The product that can overlap the run before, if there is one.
    let overlap: NextBatchOverlap?
    let lazyRows: [LazyRows]
    /// Loop-invariant buffers that runs read.
    let kept: Set<BufferID>
    let scratchByteCount: Int
    let preparationScratchByteCount: Int
    /// The most tasks that a step of a run does at once by oneDNN.
    let streamCount: Int
    /// Whether what runs write is surrounded by guard words.
    let guardsMemory: Bool

    init(_ graph: Graph, _ paths: FastPaths, _ options: CPUOptions) throws(GraftError) {
        let engine = try Engine()
        try self.init(
            PlanCompiler(
                graph.legalizedForCPU(engine, paths), engine: engine, threads: options.threadsOfRun, paths: paths,
                bitmapInputs: options.bitmapInputs), options)
    }

    init(_ compiler: PlanCompiler, _ options: CPUOptions) throws(GraftError) {
        engine = compiler.engine
        threads = options.threadsOfRun
        guardsMemory = options.guardsMemory
        let schedule = try Schedule(
            compiler, skipsNonFiniteUpdates: options.skipsNonFiniteUpdates, guardsMemory: options.guardsMemory)
        inputs = compiler.inputs
        inputForms = compiler.inputForms
        variables = compiler.variables
        constants = compiler.constants
        outputs = compiler.outputs.map { output in
            (compiler.outputs.firstIndex { $0.buffer == output.buffer } ?? 0, output.shape)
        }
        self.schedule = schedule
        overlap = compiler.paths.allows(.nextBatchOverlap) ? NextBatchOverlap(schedule) : nil
        let hasLazyRows = compiler.paths.allows(.lazyRows)
        lazyRows = hasLazyRows ? LazyRows.all(in: schedule, outputs: compiler.outputs.map(\.buffer)) : []
        replaced = Set(
            schedule.buffers.compactMap { buffer in
                if case .nextValue(let position) = buffer.kind { position } else { nil }
            })
        kept = Set(schedule.run.flatMap(\.reads)).filter { schedule.buffers[$0.index].kind == .prepared }
        streamCount = schedule.run.map(\.step.streamCount).max() ?? 1
        scratchByteCount = Self.scratchByteCount(schedule.run, isGuarded: guardsMemory)
        preparationScratchByteCount = Self.scratchByteCount(schedule.preparation, isGuarded: guardsMemory)
    }

    private static func scratchByteCount(_ plannedSteps: [PlannedStep], isGuarded: Bool) -> Int {
        guard !isGuarded else { return ScratchGuards.byteCount(for: plannedSteps.map(\.step)) }
        return plannedSteps.map(\.step.scratchByteCount).max() ?? 0
    }

    var hasUpdates: Bool { variables.contains(where: \.isUpdated) }

    /// Bytes that one run takes besides the variables.
    var runByteCount: Int {
        let results = outputs.reduce(0) { $0 + $1.shape.elementCount * MemoryLayout<Float>.stride }
        return schedule.arenaByteCount + scratchByteCount + results
    }

    var packedByteCount: Int { kept.reduce(0) { $0 + schedule.buffers[$1.index].byteCount } }

    /// The steps of a run, before anything ran.
    var profile: [StepProfile] {
        schedule.run.map { planned in
            let bytes = (Set(planned.reads).map(\.index) + Set(planned.writes).map(\.index))
                .reduce(0) { $0 + schedule.buffers[$1].byteCount }
            var profile = StepProfile(
                label: planned.label, operation: planned.operation, implementation: planned.step.implementation,
                count: 0, seconds: 0, flopCount: planned.flopCount, byteCount: bytes)
            profile.isBFloat16 = planned.reads.contains { schedule.buffers[$0.index].isBFloat16Activation }
            return profile
        }
    }

    var report: PlanReport {
        var report = PlanReport()
        let (run, preparation) = (schedule.run.map(\.step), schedule.preparation.map(\.step))
        report.steps = run.count
        report.preparationSteps = preparation.count
        report.primitives = (run + preparation).reduce(0) { $0 + $1.primitiveCount }
        report.reorders = run.reduce(0) { $0 + $1.reorderCount }
        report.preparationReorders = preparation.reduce(0) { $0 + $1.reorderCount }
        report.copies = run.count { $0 is CopyStep }
        report.copiedByteCount = run.reduce(0) { $0 + (($1 as? CopyStep)?.copiedByteCount ?? 0) }
        report.concatenatedInPlace = schedule.buffers.count { buffer in
            if case .view = buffer.kind { true } else { false }
        }
        report.updatesInPlace = schedule.updatesInPlace
        report.fusedGradients = run.count { $0 is GradientStep || $0 is ConvolutionGradientStep }
        report.fusedInputGradients = run.count { ($0 as? GradientStep)?.computesInputGradient == true }
        report.overlappedProducts = overlap == nil ? 0 : 1
        report.lazyUpdates = lazyRows.count
        report.arenaByteCount = schedule.arenaByteCount
        report.valueByteCount = schedule.offsets.keys.reduce(0) { $0 + schedule.buffers[$1.index].byteCount }
        report.scratchByteCount = scratchByteCount
        report.packedByteCount = packedByteCount
        report.oneDNNVersion = oneDNNVersion
        for step in run { report.implementations[step.implementation, default: 0] += 1 }
        return report
    }
}
