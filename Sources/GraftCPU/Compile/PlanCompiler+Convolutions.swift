/// Convolutions and their gradients.
extension PlanCompiler {
    /// By the first fast path that suits, else by oneDNN.
    mutating func compileConvolution(_ value: ValueID, _ geometry: ConvolutionGeometry) throws(GraftError) {
        guard case .convolution(let operation) = graph[value].operation else { return }
        let site = try site(of: value, operation, geometry)
        for path in paths.convolutions where path.suits(site) {
            if try path.lower(site, in: &self) { return }
        }
        switch operation {
        case .forward:
            let done = geometry.safe(site.epilogue)
            try addPrimitive(value, Primitive.convolution(engine, geometry, done), site.epilogue, done: done)
        case .inputGradient:
            try addPrimitive(value, Primitive.inputGradient(engine, geometry), .none, done: .none)
        case .kernelGradient: try addKernelGradient(value, geometry)
        }
    }

    private func site(
        of value: ValueID, _ operation: ConvolutionOperation, _ geometry: ConvolutionGeometry
    ) throws(GraftError) -> ConvolutionSite {
        let reads = try sources(of: value)
        var (epilogue, isForward) = (Epilogue.none, false)
        if case .forward(_, let fused) = operation { (epilogue, isForward) = (fused, true) }
        return ConvolutionSite(
            value: value, operation: operation, geometry: geometry, epilogue: epilogue,
            hasInvariantWeights: isForward && isLoopInvariant(reads[1]),
            isSlice: isForward && isSlice(value, reading: [reads[0]]), threads: threads, machine: paths.machine)
    }

    /// The kernel's gradient by one primitive.
    private mutating func addKernelGradient(_ value: ValueID, _ geometry: ConvolutionGeometry) throws(GraftError) {
        let reads = try sources(of: value)
        let primitive = try Primitive.kernelGradient(engine, geometry)
        let unpacking = primitive.packedByteCount > 0 ? try primitive.packing() : nil
        let whole = KernelGradientStep.Slice(
            primitive: primitive, unpacking: unpacking, channels: 0..<geometry.output[3])
        try add(value, reads: reads) { target in
            KernelGradientStep(
                slices: [whole], batchParts: 1, geometry: geometry, input: reads[0], outputGradient: reads[1],
                target: target)
        }
    }

    // MARK: Graft's own kernels

    /// Prepacks a convolution's weights with the step that `make` returns; returns the packed buffer.
    mutating func packKernel(
        of value: ValueID, elementCount: Int, make: (BufferID, BufferID) -> any Step
    ) throws(GraftError) -> BufferID {
        let plain = try location(of: graph[value].operands[1])
        let packed = newBuffer(elementCount)
        add(
            make(plain, packed), reads: [plain], writes: [packed], label: graph[value].label, operation: "packing",
            preparation: .always)
        return packed
    }

    /// Adds the step of a convolution, which writes to its slice of a concatenation where it has one.
    mutating func addConvolution(
        _ value: ValueID, _ epilogue: Epilogue, kernel: BufferID, make: (ConvolutionPlaces) -> any Step
    ) throws(GraftError) {
        let operands = graph[value].operands
        let source = try location(of: operands[0])
        let bias = epilogue.bias ? try location(of: operands[2]) : nil
        let slice = slice(for: value, reading: [source])
        let pixelStride = slice?.pixelStride ?? shape(value)[3]
        try add(value, reads: [source, kernel] + (bias.map { [$0] } ?? []), into: slice?.target) { target in
            make(
                ConvolutionPlaces(source: source, kernel: kernel, bias: bias, target: target, pixelStride: pixelStride))
        }
    }
}
