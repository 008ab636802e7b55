internal import CKernels

/// A block of elements between two strided arrays.
struct BlockCopy: Sendable {
    /// The innermost stride is 1 on both sides.
    let sizes: [Int]
    let sourceStrides: [Int]
    let targetStrides: [Int]

    init(sizes: [Int], sourceStrides: [Int], targetStrides: [Int]) {
        (self.sizes, self.sourceStrides, self.targetStrides) = (sizes, sourceStrides, targetStrides)
    }

    /// The block of a shape at the start of two dense arrays, with neighbouring axes joined where both allow it.
    init(_ block: Shape, source: Shape, target: Shape) {
        self.init(joining: block.dimensions, sourceStrides: source.strides, targetStrides: target.strides)
    }

    /// A block with neighbouring axes joined where both arrays allow it.
    init(joining block: [Int], sourceStrides: [Int], targetStrides: [Int]) {
        var (sizes, from, to): ([Int], [Int], [Int]) = ([], [], [])
        for (axis, size) in block.enumerated() {
            let (sourceStride, targetStride) = (sourceStrides[axis], targetStrides[axis])
            if let last = sizes.indices.last, from[last] == sourceStride * size, to[last] == targetStride * size {
                sizes[last] *= size
                (from[last], to[last]) = (sourceStride, targetStride)
            } else {
                sizes.append(size)
                from.append(sourceStride)
                to.append(targetStride)
            }
        }
        self.init(sizes: sizes, sourceStrides: from, targetStrides: to)
    }

    /// The kernel's limit on axes that cannot be joined.
    func checkRank() throws(GraftError) {
        guard sizes.count <= graft_maximum_rank else {
            throw GraftError(
                .backend,
                "a copy over \(sizes.count) axes that cannot be joined is more than the CPU's \(graft_maximum_rank)")
        }
    }

    /// Contiguous elements on both sides, in rows of a page that threads can divide.
    static func elements(_ count: Int) -> [(offset: Int, block: BlockCopy)] {
        let row = 1024
        let whole = count / row * row
        var parts: [(offset: Int, block: BlockCopy)] = []
        if whole > 0 {
            let sizes = [count / row, row]
            parts.append((0, BlockCopy(sizes: sizes, sourceStrides: [row, 1], targetStrides: [row, 1])))
        }
        if whole < count {
            parts.append((whole, BlockCopy(sizes: [count - whole], sourceStrides: [1], targetStrides: [1])))
        }
        return parts
    }

    var description: graft_block_copy {
        var copy = graft_block_copy()
        copy.rank = Int32(sizes.count)
        fill(&copy.sizes, with: sizes)
        fill(&copy.source_strides, with: sourceStrides)
        fill(&copy.target_strides, with: targetStrides)
        return copy
    }
}

/// Writes values into a C array, which Swift imports as a tuple.
func fill<Tuple>(_ tuple: inout Tuple, with values: [Int]) {
    withUnsafeMutableBytes(of: &tuple) { bytes in
        let target = bytes.bindMemory(to: Int64.self)
        for (position, value) in values.prefix(target.count).enumerated() { target[position] = Int64(value) }
    }
}

/// Paddings, slices, concatenations and plain copies: blocks that are copied into one target.
struct CopyStep: Step {
    struct Part: Sendable {
        let source: BufferID
        let sourceOffset: Int
        let targetOffset: Int
        let block: BlockCopy
    }

    let parts: [Part]
    let target: BufferID
    /// The number of elements that are set to zero first; 0 where the parts cover everything.
    let zeroCount: Int
    var elementType = ElementType.float32

    var implementation: String { "graft:copy" }

    /// What it writes of its operands.
    var copiedByteCount: Int { parts.reduce(0) { $0 + $1.block.sizes.reduce(elementType.byteCount, *) } }

    func run(_ memory: RunMemory) {
        let (target, size) = (UnsafeMutableRawPointer(memory[target]), elementType.byteCount)
        if zeroCount > 0 { graft_fill_zero(target, Int64(zeroCount * size), Int32(memory.threads)) }
        for part in parts {
            var block = part.block.description
            let source = UnsafeRawPointer(memory[part.source]) + part.sourceOffset * size
            graft_copy_block(
                &block, source, target + part.targetOffset * size, Int64(size), Int32(memory.threads))
        }
    }
}

/// Uniform random numbers.
struct RandomStep: Step {
    let stream: UInt64
    let count: Int
    let target: BufferID

    var implementation: String { "graft:random" }

    func run(_ memory: RunMemory) {
        graft_random_uniform(memory.randomKey, stream, Int64(count), memory[target], Int32(memory.threads))
    }
}
