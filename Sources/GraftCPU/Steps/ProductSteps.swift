internal import CKernels

/// A convolution or matrix product with its epilogue.
struct ProductStep: Step {
    let primitive: Primitive
    /// Brings the kernel into the primitive's layout in each run, where it changes from run to run.
    let packing: Primitive?
    let source: BufferID
    let weights: BufferID
    let bias: BufferID?
    let addend: BufferID?
    let target: BufferID
    let size: ArraySize
    /// What the primitive leaves of the epilogue.
    let rest: ProgramStep?

    var implementation: String { primitive.implementation }
    var primitiveCount: Int { packing == nil ? 1 : 2 }
    var reorderCount: Int { packing == nil ? 0 : 1 }
    var request: String? { primitive.request }
    var scratchByteCount: Int { scratchParts.reduce(0) { $0 + Memory.aligned($1) } }
    /// The packed kernel, and what is needed while it is made and used.
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

/// A few rows times a large matrix, which is read once from where it stands: twice as fast as oneDNN's product, which
/// copies the matrix in pieces first. Any number of rows where they come packed.
struct ThinProductStep: Step {
    let rows: Int
    let inner: Int
    let columns: Int
    let left: BufferID
    let right: BufferID
    let bias: BufferID?
    let target: BufferID
    let rest: ProgramStep?
    /// Whether the rows come packed.
    let isPacked: Bool
    let threads: Int

    var implementation: String { isPacked ? "graft:packed product" : "graft:product" }

    var scratchByteCount: Int {
        var product = description
        let packed = graft_packed_product_scratch_size(&product, Int32(threads))
        return max(isPacked ? packed : sumsByteCount, rest?.scratchByteCount ?? 0)
    }

    /// The sums of its blocks.
    var sumsByteCount: Int {
        var product = description
        return graft_thin_product_scratch_size(&product)
    }

    private var description: graft_thin_product {
        var product = graft_thin_product()
        (product.rows, product.inner, product.columns) = (Int64(rows), Int64(inner), Int64(columns))
        return product
    }

    /// The most rows that are not packed, and the most of which the next run's product is computed ahead.
    static let mostRows = 64

    /// Whether the kernel suits a product: measured against oneDNN on matrices that do not fit the caches.
    static func suits(rows: Int, inner: Int, columns: Int, isPacked: Bool) -> Bool {
        (isPacked || rows <= mostRows) && columns.isMultiple(of: 32) && inner * columns >= 1 << 20
    }

    func readsPacked(_ buffer: BufferID) -> Bool { isPacked && left == buffer && right != buffer && bias != buffer }

    func run(_ memory: RunMemory) {
        var product = description
        (product.right, product.target) = (UnsafePointer(memory[right]), memory[target])
        product.bias = bias.map { UnsafePointer(memory[$0]) }
        if isPacked, let packed = memory.packed[left] {
            product.packed_left = packed
        } else {
            product.left = UnsafePointer(memory[left])
        }
        if let ahead = memory.ahead, ahead.isReady, ahead.lookahead.product == target {
            // A processor is left to whoever reads the next batch at this moment: threads that wait for theirs lose more.
            graft_join_thin_product(&product, ahead.sums, Int32(max(1, memory.threads - 1)))
        } else if isPacked {
            graft_run_packed_product(&product, memory.scratch, Int32(memory.threads))
        } else {
            graft_run_thin_product(&product, memory.scratch, Int32(memory.threads))
        }
        rest?.run(memory)
    }
}

/// Brings a kernel into the layout that a primitive wants, once for each binding.
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

/// Copies elements that stand in order on both sides.
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
