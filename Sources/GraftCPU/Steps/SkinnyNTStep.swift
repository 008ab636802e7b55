internal import CKernels

/// A skinny GEMM with a transposed matrix (NT), such as the gradient of a dense layer's input: the large matrix is read once, in
/// place, where oneDNN packs it first.
struct SkinnyNTStep: Step {
    let rows: Int
    let inner: Int
    let columns: Int
    let left: BufferID
    let right: BufferID
    let target: BufferID

    var implementation: String { "graft:row product" }

    func run(_ memory: RunMemory) {
        var product = graft_skinny_nt(
            rows: Int64(rows), inner: Int64(inner), columns: Int64(columns), left: memory[left], right: memory[right],
            target: memory[target])
        graft_run_skinny_nt(&product, Int32(memory.threads))
    }
}
