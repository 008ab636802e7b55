internal import CKernels
internal import COneDNN

/// The machine as the planner sees it, and every threshold of its fast paths.
///
/// Instructions are read once. The thresholds are constants: they were measured on the machine
/// of `Benchmarks/notebook`, whose second-level cache has 1 MiB. Larger ones would serve a processor with 2 MiB (those with AMX),
/// but nobody has measured it, and one set of thresholds means the same steps, and so the same counts in tests, everywhere.
/// Where a threshold is a share of that cache it is written as one, so that who measures another machine knows what to scale.
struct Machine: Sendable, Hashable {
    // MARK: What there is

    /// The bytes of a vector of the chosen instruction set: 64 with AVX-512, 32 with AVX2, else 16.
    var vectorByteCount = 16
    /// Whether it multiplies bfloat16 in pairs by instructions of its own.
    var hasAVX512BFloat16 = false
    /// Whether it multiplies tiles of bfloat16 by AMX.
    var hasAMX = false
    /// Whether Graft's direct convolutions are as fast as oneDNN's: they need AVX-512.
    var hasFastConvolutions: Bool { vectorByteCount == 64 }
    /// Whether Graft's kernels have vectors at all: without, oneDNN's are faster.
    var hasVectors: Bool { vectorByteCount > 16 }
    var oneDNNVersion = ""

    // MARK: Thresholds

    /// The second-level cache that kernels are blocked for, in bytes.
    static let blockedCache = 1 << 20

    /// Elements from which on a matrix is large: 4 MiB, four times that cache, so that nothing of it stays between two uses. Skinny
    /// GEMM reads such a matrix in place; smaller ones are as fast by oneDNN, which packs them first.
    var largeMatrix = 4 * blockedCache / MemoryLayout<Float>.stride
    /// The most rows of a skinny GEMM with a transposed matrix: its left side stays in the first-level cache with five rows of the
    /// matrix, and oneDNN's packing is paid for by more.
    var mostSkinnyRows = 64
    /// The fewest columns that a skinny GEMM (NT) sums: shorter sums are mostly their ends.
    var leastSkinnyInner = 128

    /// Multiplications below which a product stays on one thread: a few µs, where a sleeping thread takes 50 to wake up.
    var smallProduct = 1 << 18
    /// Elements of a loop-invariant value that are kept whatever they are made of: 256 KiB are read faster than they are made.
    var smallPrepared = blockedCache / 16

    /// Channel pairs of the largest Winograd kernel: transformed, with tiles of six, they are 36 · 256 KiB, which is read from the
    /// third-level cache for each block of tiles.
    var winogradChannelPairs = 1 << 16
    /// Channel pairs of the largest kernel with tiles of eight: transformed 64 · 160 KiB, as much as the above.
    var winogradChannelPairsOfEight = 5 << 13

    /// Bytes of one panel of a direct convolution's kernel, which is read for every few pixels: half of the second-level cache.
    var convolutionPanel = blockedCache / 2

    /// Elements of the output's gradient, packed, that a kernel gradient by tiles reads for each of them: the second-level cache.
    var gradientPanel = blockedCache / MemoryLayout<Float>.stride
    /// Elements of the input of a convolution whose kernel gradient is computed by tiles: each position of the kernel reads it.
    var gradientInput = 4 * blockedCache / MemoryLayout<Float>.stride
    /// The fewest columns of a gradient by tiles: shorter rows leave vectors empty.
    var leastGradientColumns = 64
    /// The fewest rows of a convolution's kernel gradient by tiles: fewer do not divide the work.
    var leastGradientRows = 32

    /// This machine.
    static let current = Machine(reading: ())

    /// A machine of which nothing is known, with the usual thresholds.
    init() {}

    private init(reading: Void) {
        // Plain, AVX2, AVX-512: each processor that has one has those before it.
        vectorByteCount = 16 << (Int(graft_instruction_set_count()) - 1)
        (hasAVX512BFloat16, hasAMX) = (graft_has_avx512_bf16(), graft_has_amx())
        let version = graft_dnn_version()
        oneDNNVersion = "\(version / 10_000).\(version / 100 % 100).\(version % 100)"
    }
}
