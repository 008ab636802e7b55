/// A step of a plan: one kernel call or several.
protocol Step: Sendable {
    /// The kernel's name, for reports.
    var implementation: String { get }
    /// Bytes of scratch memory that it needs.
    var scratchByteCount: Int { get }
    /// The parts that this is made of, in bytes; see ``RunMemory/scratch(_:of:)``. One, unless said otherwise.
    var scratchParts: [Int] { get }
    /// The request to oneDNN, if that runs it.
    var request: String? { get }
    /// How many of oneDNN's streams it uses at once; one, unless said otherwise.
    var streamCount: Int { get }
    /// oneDNN primitives that it holds.
    var primitiveCount: Int { get }
    /// Of these, reorders between layouts.
    var reorderCount: Int { get }
    /// Whether it reads a buffer as bitmap-compressed rows: only an input that the compiler offers in that form.
    func readsBitmap(_ buffer: BufferID) -> Bool
    /// Runs it.
    func run(_ memory: RunMemory) throws(GraftError)
}

extension Step {
    var scratchByteCount: Int { 0 }
    var scratchParts: [Int] { [scratchByteCount] }
    var request: String? { nil }
    var streamCount: Int { 1 }
    var primitiveCount: Int { 0 }
    var reorderCount: Int { 0 }
    func readsBitmap(_ buffer: BufferID) -> Bool { false }
}
