internal import CKernels

/// A convolution or matrix product with its epilogue.
struct ProductStep: Step {
    let primitive: Primitive
    /// Packs the kernel into the primitive's layout in each run, where it changes from run to run.
    let packing: Primitive?
    let source: BufferID
    let weights: BufferID
    let bias: BufferID?
    let addend: BufferID?
    let target: BufferID
    let size: ArraySize
    /// The part of the epilogue that the primitive does not compute.
    let rest: ProgramStep?

    var implementation: String { primitive.implementation }
    var primitiveCount: Int { packing == nil ? 1 : 2 }
    var reorderCount: Int { packing == nil ? 0 : 1 }
    var request: String? { primitive.request }
    var scratchByteCount: Int { scratchParts.reduce(0) { $0 + Memory.aligned($1) } }
    /// The packed kernel, and scratch to make and to use it.
    var scratchParts: [Int] {
        let packed = packing == nil ? 0 : primitive.packedByteCount
        let others = [primitive.scratchByteCount, packing?.scratchByteCount ?? 0, rest?.scratchByteCount ?? 0]
        return [packed, others.max() ?? 0]
    }

    func run(_ memory: RunMemory) throws(GraftError) {
        var weights = UnsafeRawPointer(memory[weights])
        let parts = scratchParts
        let scratch = memory.scratch(1, of: parts)
        if let packing {
            let packed = memory.scratch(0, of: parts)
            try packing.execute(on: memory.stream, source: weights, target: packed, scratch: scratch)
            weights = UnsafeRawPointer(packed)
        }
        let target = memory[target]
        if let addend, memory[addend] != target {
            copy(memory[addend], to: target, size, threads: memory.threads)
        }
        try primitive.execute(
            on: memory.stream, source: memory[source], weights: weights,
            bias: bias.map { UnsafeRawPointer(memory[$0]) },
            target: target, scratch: scratch)
        rest?.run(memory.withScratch(1, of: parts))
    }
}

/// A skinny GEMM (NN): the large matrix is read once, in place, twice as fast as by oneDNN's product, which packs it first. Any
/// number of rows where they are bitmap-compressed.
struct SkinnyNNStep: Step {
    let rows: Int
    let inner: Int
    let columns: Int
    let left: BufferID
    let right: BufferID
    let bias: BufferID?
    let target: BufferID
    let rest: ProgramStep?
    /// Whether the rows are bitmap-compressed.
    let isBitmap: Bool
    /// Whether products with zeros are not skipped.
    let multipliesZeros: Bool
    let threads: Int

    var implementation: String { isBitmap ? "graft:packed product" : "graft:product" }

    var scratchByteCount: Int {
        var product = description
        let packed = graft_bitmap_nn_scratch_size(&product, Int32(threads))
        return max(isBitmap ? packed : sumsByteCount, rest?.scratchByteCount ?? 0)
    }

    /// The partial sums of its blocks (split-K).
    var sumsByteCount: Int {
        var product = description
        return graft_skinny_nn_scratch_size(&product)
    }

    private var description: graft_skinny_nn {
        var product = graft_skinny_nn()
        (product.rows, product.inner, product.columns) = (Int64(rows), Int64(inner), Int64(columns))
        product.multiplies_zeros = multipliesZeros
        return product
    }

    /// The most rows that are not compressed, and the most of the next batch whose product can overlap an update.
    static let mostRows = Int(graft_most_skinny_rows)

    /// Whether the kernel suits a product: measured against oneDNN on matrices that do not fit the caches.
    static func suits(rows: Int, inner: Int, columns: Int, isBitmap: Bool, _ machine: Machine) -> Bool {
        (isBitmap || rows <= mostRows) && columns.isMultiple(of: 32) && inner * columns >= machine.largeMatrix
    }

    func readsBitmap(_ buffer: BufferID) -> Bool { isBitmap && left == buffer && right != buffer && bias != buffer }

    func run(_ memory: RunMemory) {
        var product = description
        (product.right, product.target) = (UnsafePointer(memory[right]), memory[target])
        product.bias = bias.map { UnsafePointer(memory[$0]) }
        if isBitmap, let packed = memory.bitmaps[left] {
            product.bitmap_left = packed
        } else {
            product.left = UnsafePointer(memory[left])
        }
        if let run = memory.nextBatch, run.isReady, run.overlap.product == target {
            // One processor is left to the thread that reads the next batch: waiting for a preempted thread costs more.
            graft_reduce_split_k(&product, run.sums, Int32(max(1, memory.threads - 1)))
        } else if isBitmap {
            graft_run_bitmap_nn(&product, memory.scratch, Int32(memory.threads))
        } else {
            graft_run_skinny_nn(&product, memory.scratch, Int32(memory.threads))
        }
        rest?.run(memory)
    }
}

/// Packs a kernel into a primitive's layout, once for each binding.
struct PackingStep: Step {
    let primitive: Primitive
    let source: BufferID
    let target: BufferID

    var implementation: String { primitive.implementation }
    var request: String? { primitive.request }
    var scratchByteCount: Int { primitive.scratchByteCount }
    var primitiveCount: Int { 1 }
    var reorderCount: Int { 1 }

    func run(_ memory: RunMemory) throws(GraftError) {
        try primitive.execute(
            on: memory.stream, source: memory[source], target: memory[target], scratch: memory.scratch)
    }
}

/// How much memory an array takes.
struct ArraySize: Sendable {
    let count: Int
    let type: ElementType
}

/// Copies elements that are contiguous on both sides.
func copy(
    _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ size: ArraySize, threads: Int
) {
    let bytes = size.type.byteCount
    for part in BlockCopy.elements(size.count) {
        var block = part.block.description
        let offset = part.offset * bytes
        graft_copy_block(&block, source + offset, target + offset, Int64(bytes), Int32(threads))
    }
}
