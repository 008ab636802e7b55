internal import CKernels

/// A sum, mean or maximum over axes.
struct ReductionStep: Step {
    private let axes: graft_reduction_axes
    private let function: graft_reduction
    private let source: BufferID
    private let target: BufferID
    let scratchByteCount: Int

    var implementation: String { "graft:reduction" }

    init(
        _ function: ReductionFunction, _ shape: Shape, axes: [Int], source: BufferID, target: BufferID, threads: Int
    ) throws(GraftError) {
        self.function =
            switch function {
            case .sum: graft_reduce_sum
            case .mean: graft_reduce_mean
            case .maximum: graft_reduce_maximum
            }
        let kept = CollapsedAxes(shape, keeping: { !axes.contains($0) })
        let reduced = CollapsedAxes(shape, keeping: { axes.contains($0) })
        try kept.checkRank()
        try reduced.checkRank()
        var description = graft_reduction_axes()
        description.kept_rank = Int32(kept.sizes.count)
        description.reduced_rank = Int32(reduced.sizes.count)
        fill(&description.kept_sizes, with: kept.sizes)
        fill(&description.kept_strides, with: kept.strides)
        fill(&description.reduced_sizes, with: reduced.sizes)
        fill(&description.reduced_strides, with: reduced.strides)
        self.axes = description
        (self.source, self.target) = (source, target)
        scratchByteCount = graft_reduce_scratch_size(&description, Int32(threads))
    }

    func run(_ memory: RunMemory) {
        var axes = axes
        graft_reduce(
            Int32(function.rawValue), &axes, memory[source], memory[target], memory.scratch, Int32(memory.threads))
    }
}

/// Some axes of a dense array, joined where they lie next to each other in memory; axes of size 1 are left out.
struct CollapsedAxes {
    private(set) var sizes: [Int] = []
    private(set) var strides: [Int] = []

    init(_ shape: Shape, keeping isKept: (Int) -> Bool) {
        for axis in 0..<shape.rank where isKept(axis) && shape[axis] != 1 {
            append(size: shape[axis], stride: shape.strides[axis])
        }
    }

    /// How an operand is read for a result that it is broadcast to: a stride of 0 repeats.
    init(_ operand: Shape, broadcastTo result: Shape) {
        for axis in 0..<result.rank where result[axis] != 1 {
            let own = axis - (result.rank - operand.rank)
            append(size: result[axis], stride: own < 0 || operand[own] == 1 ? 0 : operand.strides[own])
        }
    }

    private mutating func append(size: Int, stride: Int) {
        if let last = sizes.indices.last, strides[last] == stride * size {
            sizes[last] *= size
            strides[last] = stride
        } else {
            sizes.append(size)
            strides.append(stride)
        }
    }

    /// The kernels' limit on axes that cannot be joined.
    func checkRank() throws(GraftError) {
        guard sizes.count <= graft_maximum_rank else {
            throw GraftError(
                .backend, "\(sizes.count) axes that cannot be joined are more than the CPU's \(graft_maximum_rank)")
        }
    }
}

/// Softmax over the last axis, or its logarithm.
struct SoftmaxStep: Step {
    let logarithm: Bool
    let shape: Shape
    let source: BufferID
    let target: BufferID

    var implementation: String { "graft:softmax" }

    func run(_ memory: RunMemory) {
        guard shape.elementCount > 0 else { return }
        graft_softmax(
            logarithm, Int64(shape.elementCount / shape.last), Int64(shape.last), memory[source], memory[target],
            Int32(memory.threads))
    }
}
