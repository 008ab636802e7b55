/// Convolutions by Graft's own kernels, which pack what never changes once and can write into a slice of a concatenation.
extension PlanCompiler {
    /// Adds a convolution by Winograd's filtering or by Graft's kernel for all sizes, where one of them suits; otherwise
    /// answers `false`, and it is oneDNN's.
    mutating func addOwnConvolution(
        _ value: ValueID, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue
    ) throws(GraftError) -> Bool {
        let operands = graph[value].operands
        let (source, plain) = (try location(of: operands[0]), try location(of: operands[1]))
        guard isStable(plain) else { return false }
        if WinogradStep.suits(geometry, epilogue) {
            try addWinograd(value, geometry, epilogue)
        } else if ConvolutionStep.suits(geometry, epilogue, isSlice: isSlice(value, reading: [source])) {
            try addConvolution(value, geometry, epilogue)
        } else {
            return false
        }
        return true
    }

    private mutating func addWinograd(
        _ value: ValueID, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue
    ) throws(GraftError) {
        let (points, threads) = (WinogradStep.points(for: geometry), threads)
        let elementCount = WinogradPackingStep.elementCount(geometry.kernel, points: points)
        let kernel = try packKernel(of: value, elementCount: elementCount) { plain, packed in
            WinogradPackingStep(
                kernelShape: geometry.kernel, points: points, isNarrow: geometry.types.kernel == .bfloat16,
                source: plain, target: packed)
        }
        try add(value, epilogue, kernel: kernel) { places in
            WinogradStep(geometry: geometry, activation: epilogue.activation, places: places, threads: threads)
        }
    }

    private mutating func addConvolution(
        _ value: ValueID, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue
    ) throws(GraftError) {
        let elementCount = ConvolutionPackingStep.elementCount(geometry)
        let kernel = try packKernel(of: value, elementCount: elementCount) { plain, packed in
            ConvolutionPackingStep(geometry, source: plain, target: packed)
        }
        try add(value, epilogue, kernel: kernel) { places in
            ConvolutionStep(geometry: geometry, activation: epilogue.activation, places: places)
        }
    }

    /// Packs a convolution's kernel once, with the step that `make` gives, and gives the packed one's buffer.
    private mutating func packKernel(
        of value: ValueID, elementCount: Int, make: (BufferID, BufferID) -> any Step
    ) throws(GraftError) -> BufferID {
        let plain = try location(of: graph[value].operands[1])
        let packed = newBuffer(elementCount)
        add(
            make(plain, packed), reads: [plain], writes: [packed], label: graph[value].label, operation: "packing",
            keeps: true)
        return packed
    }

    /// Adds the step of a convolution, which writes its place in a concatenation where it has one.
    private mutating func add(
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
