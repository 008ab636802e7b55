extension FastPath {
    /// In bfloat16 a kernel's gradient by oneDNN is divided among threads by Graft: several primitives of one thread each.
    ///
    /// Buys a gradient of 0.5 ms on a busy machine, where oneDNN's spinning threads take up to 250. Can go when its barriers sleep.
    static let kernelGradientSplit = FastPath(
        "kernel-gradient-split", page: "22-kernel-gradient-split", .convolution(KernelGradientLowering.self))
}

enum KernelGradientLowering: ConvolutionLowering {
    static func suits(_ site: ConvolutionSite) -> Bool {
        guard case .kernelGradient = site.operation else { return false }
        return site.threads > 1 && site.geometry.types.input == .bfloat16 && site.geometry.convolution.groups == 1
    }

    static func lower(_ site: ConvolutionSite, in compiler: inout PlanCompiler) throws(GraftError) -> Bool {
        let (geometry, reads) = (site.geometry, try compiler.sources(of: site.value))
        let split = KernelGradientSplit(geometry, threads: site.threads)
        let slices = try slices(geometry, split, in: compiler)
        // There may be no fast code for a slice's number of channels.
        guard split == .none || !slices.contains(where: \.primitive.isReference) else { return false }
        try compiler.add(site.value, reads: reads) { target in
            KernelGradientStep(
                slices: slices, batchParts: split.batchParts, geometry: geometry, input: reads[0],
                outputGradient: reads[1], target: target)
        }
        return true
    }

    private static func slices(
        _ geometry: ConvolutionGeometry, _ split: KernelGradientSplit, in compiler: PlanCompiler
    ) throws(GraftError) -> [KernelGradientStep.Slice] {
        // oneDNN divides its work when the primitive is created.
        compiler.setThreadCount(1)
        defer { compiler.setThreadCount(compiler.threads) }
        var (slices, made): ([KernelGradientStep.Slice], [Int: KernelGradientStep.Slice]) = ([], [:])
        for channels in split.channels(geometry) {
            let primitive: Primitive
            let unpacking: Primitive?
            if let same = made[channels.count] {
                (primitive, unpacking) = (same.primitive, same.unpacking)
            } else {
                let part = geometry.part(batchParts: split.batchParts, outputChannels: channels.count)
                primitive = try Primitive.kernelGradient(
                    compiler.engine, part, kernelPixelStride: geometry.kernel[3])
                unpacking = primitive.packedByteCount > 0 ? try primitive.packing() : nil
            }
            let slice = KernelGradientStep.Slice(primitive: primitive, unpacking: unpacking, channels: channels)
            made[channels.count] = slice
            slices.append(slice)
        }
        return slices
    }
}

/// How threads divide a kernel's gradient: slices of the output's channels, each times parts of the batch.
///
/// A slice costs a copy of its part of the output's gradient, and every slice reads the input; parts of a batch cost the sum of
/// their gradients. The cheaper way follows from sizes alone.
struct KernelGradientSplit: Hashable {
    let slices: Int
    /// A divisor of the batch.
    let batchParts: Int

    /// In one piece.
    static let none = KernelGradientSplit(slices: 1, batchParts: 1)

    init(slices: Int, batchParts: Int) { (self.slices, self.batchParts) = (slices, batchParts) }

    /// The fastest split on `threads` threads.
    init(_ geometry: ConvolutionGeometry, threads: Int) {
        let blocks = Self.blockCount(geometry)
        var best = (split: Self.none, seconds: Self.none.seconds(geometry))
        for parts in 1...max(1, min(threads, geometry.input[0])) where geometry.input[0].isMultiple(of: parts) {
            let split = KernelGradientSplit(slices: min(threads / parts, blocks), batchParts: parts)
            let seconds = split.seconds(geometry)
            if seconds < best.seconds { best = (split, seconds) }
        }
        self = best.split
    }

    /// oneDNN computes sixteen channels of the output at once, so slices are multiples of that.
    private static let block = 16

    private static func blockCount(_ geometry: ConvolutionGeometry) -> Int {
        (geometry.output[3] + block - 1) / block
    }

    /// The channels of each slice, as even as blocks allow.
    func channels(_ geometry: ConvolutionGeometry) -> [Range<Int>] {
        let (blocks, channels) = (Self.blockCount(geometry), geometry.output[3])
        return (0..<slices).map { slice in
            let (first, last) = (blocks * slice / slices, blocks * (slice + 1) / slices)
            return first * Self.block..<min(channels, last * Self.block)
        }
    }

    /// A rough time of the slowest thread: products in bfloat16 at 300 GFLOP/s, memory at 10 GB/s, a barrier at 5 µs.
    private func seconds(_ geometry: ConvolutionGeometry) -> Double {
        let (input, output, kernel) = (geometry.input, geometry.output, geometry.kernel)
        let blocks = Self.blockCount(geometry)
        let share = Double((blocks + slices - 1) / slices) / Double(blocks)
        let parts = Double(batchParts)
        let products = Double(output.elementCount / output[3] * kernel.elementCount) * share / parts
        let read = Double(input.elementCount * geometry.types.input.byteCount) / parts
        let copied = slices > 1 ? 2 * Double(output.elementCount * geometry.types.output.byteCount) * share / parts : 0
        let added = batchParts > 1 ? (parts + 1) * 4 * Double(kernel.elementCount) * share : 0
        let barriers = (slices * batchParts > 1 ? 1.0 : 0) + (batchParts > 1 ? 1 : 0)
        return products / 1.5e11 + (read + copied + added) / 1e10 + barriers * 5e-6
    }
}

extension ConvolutionGeometry {
    /// The convolution of a part of the batch to some of the output's channels.
    fileprivate func part(batchParts: Int, outputChannels: Int) -> ConvolutionGeometry {
        ConvolutionGeometry(
            convolution: convolution, input: [input[0] / batchParts, input[1], input[2], input[3]],
            kernel: [kernel[0], kernel[1], kernel[2], outputChannels],
            output: [output[0] / batchParts, output[1], output[2], outputChannels], types: types,
            allowsDirectCode: allowsDirectCode)
    }
}
