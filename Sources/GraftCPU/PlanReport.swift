/// What a plan consists of: counts that do not depend on timing, for tests and reports.
public struct PlanReport: Sendable, Hashable {
    /// Steps of one run.
    public var steps = 0
    /// Steps that are done once for each binding of variables.
    public var preparationSteps = 0
    /// oneDNN primitives, those of the preparation and reorders included.
    public var primitives = 0
    /// Reorders between layouts in one run; none where no convolution's kernel changes.
    public var reorders = 0
    /// Reorders done once for each binding: packed kernels.
    public var preparationReorders = 0
    /// Copies between buffers in one run: concatenations, paddings, slices, outputs that are inputs.
    public var copies = 0
    /// The bytes that these copies write.
    public var copiedByteCount = 0
    /// Operands of concatenations that are computed in place, as slices of the result.
    public var concatenatedInPlace = 0
    /// Updates written straight into their variable's memory.
    public var updatesInPlace = 0
    /// Kernel gradients that are fused with their update, and never stored.
    public var fusedGradients = 0
    /// Of these, those fused with the gradient of the layer's input, which reads the same kernel.
    public var fusedInputGradients = 0
    /// Products of the next batch that can overlap the update of their kernel; see
    /// ``CPUPlan/run(_:next:randomKey:)``.
    public var overlappedProducts = 0
    /// Lazy sparse updates: rows whose inputs are zero in all examples are skipped, and catch up when they are needed.
    public var lazyUpdates = 0
    /// The memory of one run, in bytes, without scratch.
    public var arenaByteCount = 0
    /// What the arena would take if no two values shared memory.
    public var valueByteCount = 0
    /// Working memory that the steps of a run share.
    public var scratchByteCount = 0
    /// Loop-invariant values: prepacked and folded weights.
    public var packedByteCount = 0
    /// Large allocations of all runs so far: arenas, and memory for variables that could not be written in place. A run
    /// of a plan that is warm adds none.
    public var allocations = 0
    /// The version of oneDNN in use.
    public var oneDNNVersion = ""
    /// How often each kernel is used in one run: oneDNN's implementations and Graft's own.
    public var implementations: [String: Int] = [:]
}

extension PlanReport {
    /// The former name of ``overlappedProducts``.
    @available(*, deprecated, renamed: "overlappedProducts")
    public var productsAhead: Int { overlappedProducts }
    /// The former name of ``lazyUpdates``.
    @available(*, deprecated, renamed: "lazyUpdates")
    public var postponedUpdates: Int { lazyUpdates }
}
