internal import CKernels
internal import COneDNN

/// How a plan runs on the CPU.
public struct CPUOptions: Sendable {
    /// The number of threads that one run uses; all cores that the process may use, unless set.
    public var threads: Int
    /// Whether runs are timed operation by operation: see ``CPUPlan/profile``.
    public var profile: Bool
    /// Records runs, together with those of other plans; nothing is recorded, at no cost, where it is `nil`.
    public var timeline: Timeline?
    /// The most bytes that one run's arena and the prepared values may take together; the machine's memory unless set.
    public var memoryLimit: Int
    /// What convolutions compute in, with the activations between them; see ``Graph/choosingPrecision(_:)``.
    public var precision: ElementType
    /// How many runs of a plan are active at once; each uses its share of the threads, at least one.
    public var concurrentRuns = 1
    /// Whether a run skips its updates where the first element of the first output, the loss, is NaN or infinite: variables keep
    /// their values, and the other outputs are undefined. Off by default.
    ///
    /// A variable that the loss itself depends on is written all the same, where one pass computes both.
    public var skipsNonFiniteUpdates = false
    /// The former name of ``skipsNonFiniteUpdates``.
    @available(*, deprecated, renamed: "skipsNonFiniteUpdates")
    public var guardsUpdates: Bool {
        get { skipsNonFiniteUpdates }
        set { skipsNonFiniteUpdates = newValue }
    }

    /// Whether guard words surround everything that a run writes (the buffers of its arena, scratch memory, prepared values,
    /// outputs, updated variables), and a run fails where a step overwrote one. Off by default: it takes more memory and time, and
    /// is for finding kernels that write outside of their memory.
    ///
    /// The error names the step, its kernel and its shapes. What a kernel writes further than 4,096 bytes away is not seen.
    public var guardsMemory = false

    /// The inputs, by name, that are mostly fed as bitmap-compressed rows; see ``CPUPlan/bitmapInputs``.
    package var bitmapInputs: Set<String> = []
    /// The fast paths that are switched off, by name: for tests, and to measure what each buys. A name that none has is an error of
    /// the plan.
    package var disabledFastPaths: Set<String> = []
    /// The names of all fast paths, in their order.
    package static var fastPathNames: [String] { FastPath.all.map(\.name) }
    /// The machine that plans are made for: this one, except in tests of what is meant for others.
    var machine = Machine.current

    /// Options with these values.
    public init(
        threads: Int? = nil, profile: Bool = false, memoryLimit: Int? = nil, precision: ElementType = .float32
    ) {
        self.precision = precision
        self.threads = max(1, threads ?? Int(graft_processor_count()))
        self.profile = profile
        self.memoryLimit = memoryLimit ?? Int(clamping: graft_memory_size())
    }

    /// The threads of one run.
    var threadsOfRun: Int { max(1, threads / max(1, concurrentRuns)) }

    /// Whether this processor multiplies bfloat16 by instructions of its own: AVX512_BF16 or AMX. Without them it would be
    /// slower than 32 bits, so that plans refuse it.
    public static var supportsBFloat16: Bool { graft_dnn_has_bfloat16() }
}
