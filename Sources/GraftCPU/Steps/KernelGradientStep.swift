internal import CKernels

/// The gradient of a convolution with respect to its kernel, reordered into the plain layout.
///
/// oneDNN's threads synchronize several times inside of such a gradient, by spinning: on a busy machine each barrier lasts until
/// every thread was scheduled, and a gradient of 0.5 ms takes 250. So a gradient that threads divide is several primitives of one
/// thread each, for slices of the output's channels and, where those are too few, for parts of the batch, whose gradients are
/// added in their order: there is one barrier, at the end. See ``KernelGradientSplit``.
struct KernelGradientStep: Step {
    /// The primitives of a slice of the output's channels; all of them where there is one.
    struct Slice: Sendable {
        let primitive: Primitive
        let unpacking: Primitive?
        let channels: Range<Int>
    }

    let slices: [Slice]
    let batchParts: Int
    let geometry: ConvolutionGeometry
    let input: BufferID
    let outputGradient: BufferID
    let target: BufferID

    var implementation: String { slices[0].primitive.implementation }
    var request: String? { slices[0].primitive.request }
    var primitiveCount: Int { slices.count + reorderCount }
    var reorderCount: Int { slices.count { $0.unpacking != nil } }
    var streamCount: Int { slices.count * batchParts }
    var scratchByteCount: Int { scratchParts.reduce(0) { $0 + Memory.aligned($1) } }

    /// For each part of each slice: a copy of its part of the output's gradient where there are several, the gradient in the
    /// primitive's layout, and scratch.
    var scratchParts: [Int] {
        let pixels = geometry.output.elementCount / geometry.output[3] / batchParts
        return slices.flatMap { slice in
            let copied = slices.count > 1 ? pixels * slice.channels.count * geometry.types.output.byteCount : 0
            let scratch = max(slice.primitive.scratchByteCount, slice.unpacking?.scratchByteCount ?? 0)
            return (0..<batchParts).flatMap { part in
                [copied, slice.unpacking == nil && part == 0 ? 0 : gradientByteCount(slice), scratch]
            }
        }
    }

    private func gradientByteCount(_ slice: Slice) -> Int {
        slice.unpacking == nil
            ? geometry.kernel.elementCount * MemoryLayout<Float>.stride : slice.primitive.packedByteCount
    }

    func run(_ memory: RunMemory) throws(GraftError) {
        let parts = scratchParts
        try inParallel(slices.count * batchParts) { task throws(GraftError) in
            let (slice, part) = (task / batchParts, task % batchParts)
            try compute(slice, part, parts, stream: memory.streams[task], memory)
            if batchParts == 1 { try unpack(slice, parts, stream: memory.streams[task], memory) }
        }
        guard batchParts > 1 else { return }
        try inParallel(slices.count) { slice throws(GraftError) in
            let (sum, count) = (gradient(slice, 0, parts, memory), gradientByteCount(slices[slice]))
            for part in 1..<batchParts {
                graft_add_to(sum, gradient(slice, part, parts, memory), Int64(count / MemoryLayout<Float>.stride))
            }
            try unpack(slice, parts, stream: memory.streams[slice], memory)
        }
    }

    private func compute(
        _ slice: Int, _ part: Int, _ parts: [Int], stream: Stream, _ memory: RunMemory
    ) throws(GraftError) {
        let index = 3 * (slice * batchParts + part)
        let source = UnsafeRawPointer(memory[input]) + part * byteCount(geometry.input, geometry.types.input)
        var output = UnsafeRawPointer(memory[outputGradient]) + part * byteCount(geometry.output, geometry.types.output)
        if slices.count > 1 {
            let copy = memory.scratch(index, of: parts)
            copySlice(slices[slice].channels, of: output, to: copy)
            output = UnsafeRawPointer(copy)
        }
        try slices[slice].primitive.execute(
            on: stream, source: source, weights: output,
            target: gradient(slice, part, parts, memory), scratch: memory.scratch(index + 2, of: parts))
    }

    /// The bytes of a part of the batch.
    private func byteCount(_ shape: Shape, _ type: ElementType) -> Int {
        shape.elementCount / batchParts * type.byteCount
    }

    /// Where a part's gradient is written: to the target if it is final, and to scratch otherwise.
    private func gradient(
        _ slice: Int, _ part: Int, _ parts: [Int], _ memory: RunMemory
    ) -> UnsafeMutablePointer<Float> {
        if slices[slice].unpacking == nil && part == 0 { return memory[target] }
        return memory.scratch(3 * (slice * batchParts + part) + 1, of: parts).assumingMemoryBound(to: Float.self)
    }

    private func copySlice(
        _ channels: Range<Int>, of output: UnsafeRawPointer, to copy: UnsafeMutableRawPointer
    ) {
        let (all, size) = (geometry.output[3], geometry.types.output.byteCount)
        var block = BlockCopy(
            sizes: [geometry.output.elementCount / all / batchParts, channels.count], sourceStrides: [all, 1],
            targetStrides: [channels.count, 1]
        ).description
        graft_copy_block(&block, output + channels.lowerBound * size, copy, Int64(size), 1)
    }

    private func unpack(_ slice: Int, _ parts: [Int], stream: Stream, _ memory: RunMemory) throws(GraftError) {
        guard let unpacking = slices[slice].unpacking else { return }
        try unpacking.execute(
            on: stream, source: gradient(slice, 0, parts, memory),
            target: memory[target] + slices[slice].channels.lowerBound,
            scratch: memory.scratch(3 * slice * batchParts + 2, of: parts))
    }
}
