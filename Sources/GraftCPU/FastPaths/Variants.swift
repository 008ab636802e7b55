/// Fast paths that are a branch of code elsewhere: of the planner, of a step or of a kernel.
extension FastPath {
    /// Pooling reads and writes bfloat16, the maximum on integers, thirty-two channels at once. Without it pooling is float32
    /// between casts.
    ///
    /// Buys 0.81 → 0.52 and 0.70 → 0.47 ms for InceptionV3's two maximum poolings. Can go when processors compare bfloat16
    /// vectors themselves (AVX10.2). In `Graph.legalizedForCPU`; the kernel is `CKernels/body/pooling.h`.
    static let bfloat16Pooling = FastPath("bfloat16-pooling", page: "03-bfloat16-pooling", .variant)

    /// What Graft's kernels compute for a concatenation is written to its slice of the result. Without it all operands are copied.
    ///
    /// Buys 15 of 32 MB of copies a batch in float32, 8.6 of 17.6 in bfloat16. Can go when a trunk has no concatenations. In
    /// `PlanCompiler+Slices`.
    static let concatenationSlices = FastPath(
        "concatenation-slices", page: "04-concatenation-slices", .variant)

    /// oneDNN's older, direct code in place of its batch-reduce GEMM, for some shapes in bfloat16
    /// (`ConvolutionGeometry.prefersDirectCode`).
    ///
    /// Buys 15 to 35 % of seven convolutions of InceptionV3. Can go when oneDNN chooses so itself.
    static let oneDNNDirectCode = FastPath("onednn-direct-code", page: "06-onednn-direct-code", .variant)

    /// A product of few multiplications stays on one thread, since a second one takes longer to wake up.
    ///
    /// Can go when threads wait awake at all times. In `PlanCompiler.product`, with ``Machine/smallProduct``.
    static let smallProducts = FastPath("small-products", page: "16-few-threads", .variant)

    /// The gradient of a dense layer's input is computed along with the update of its kernel, which is read once for both.
    ///
    /// Buys 22 → 18 ms of a step of fine-tuning. Can go with ``fusedUpdate``. In `UpdateGroups`.
    static let fusedInputGradient = FastPath(
        "fused-input-gradient", page: "18-fused-input-gradient", .variant)

    /// Updates that are a known optimizer's run as compiled code; others are interpreted, with the same bits.
    ///
    /// Buys 17.6 → 12.2 ms of RMSprop's update of the tutorial's kernel. Never to go while heads are large. In `CompiledProgram`.
    static let optimizerKernels = FastPath("optimizer-kernels", page: "08-fused-update", .variant)

    /// Inputs that are mostly zero reach the skinny GEMM and the update as they are kept: a bitmap and the other elements.
    ///
    /// Buys 10.5 → 9.3 s of the tutorial's job and 60 MB. Can go when features are no longer kept compressed. In `Run`.
    static let bitmapRows = FastPath("bitmap-rows", page: "13-bitmap-rows", .variant)

    /// The skinny GEMM and the fused update leave out products with zeros where at most a third of a tile is not zero.
    ///
    /// Buys 11.7 → 10 ms a step on features of which 86 % are zero. Can go when heads no longer read a relu's output. A flag of
    /// the kernels (`multiplies_zeros`).
    static let skippedZeros = FastPath("skipped-zeros", page: "10-sparse-inputs", .variant)

    /// Rows of a kernel whose gradient is zero are left alone, and their state catches up later.
    ///
    /// Can go with ``skippedZeros``. In `Run`.
    static let lazyRows = FastPath("lazy-rows", page: "12-lazy-rows", .variant)

    /// The next batch's product with a kernel is computed along with its update, where that batch is known.
    ///
    /// Buys 4 to 5 ms for 1 of some 13. Can go when the kernel stays in a cache. In `Run`.
    static let nextBatchOverlap = FastPath("next-batch-overlap", page: "09-next-batch-overlap", .variant)

    /// The pass over the images runs a trunk's plan several times at once, each on its share of the threads.
    ///
    /// Buys 3.2 → 3.0 s of the pass over the tutorial's photos. Can go when parallel regions cost nothing. In `CPUBackend`.
    static let concurrentRuns = FastPath("concurrent-runs", page: "24-concurrent-trunk-runs", .variant)
}
