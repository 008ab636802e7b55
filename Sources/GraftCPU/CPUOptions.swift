internal import CKernels
internal import COneDNN

/// How a plan runs on the CPU.
public struct CPUOptions: Sendable {
    /// The number of threads that one run uses; all cores that the process may use, unless set.
    public var threads: Int
    /// Whether runs are timed operation by operation: see ``CPUPlan/profile``.
    public var profile: Bool
    /// Where runs are written down, with those of other plans; nothing is, and nothing costs, where it is `nil`.
    public var timeline: Timeline?
    /// The most bytes that one run's arena and the prepared values may take together; the machine's memory unless set.
    public var memoryLimit: Int
    /// What convolutions compute in, with the activations between them; see ``Graph/choosingPrecision(_:)``.
    public var precision: ElementType
    /// How many runs of a plan go on at once; each uses its share of the threads, at least one.
    public var concurrentRuns = 1
    /// Whether a run ends where the first output is computed and its first number is not finite: variables are then what
    /// they were before the run, and the other outputs mean nothing. Not unless set.
    ///
    /// What the output itself depends on is written all the same, where one pass computes both.
    public var skipsNonFiniteUpdates = false

    /// Whether guard words stand around everything that a run writes (the buffers of its arena, scratch memory, prepared
    /// values, outputs, updated variables), and a run ends with an error where a step wrote over one. Not unless set: it takes
    /// more memory and time, and is for finding kernels that write outside of their memory.
    ///
    /// The error names the step, its kernel and its shapes. What a kernel writes further than 4,096 bytes away is not seen.
    public var guardsMemory = false

    /// The inputs, by name, that mostly come as rows compressed by a bitmap; see ``CPUPlan/bitmapInputs``.
    package var bitmapInputs: Set<String> = []

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
