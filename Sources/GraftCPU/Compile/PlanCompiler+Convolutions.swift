/// Convolutions by Graft's own kernels, which prepack loop-invariant weights and can write to a slice of a concatenation.
extension PlanCompiler {
    /// Adds a convolution by Winograd's filtering or by Graft's direct kernel, where one of them suits; returns `false` where
    /// oneDNN has to compute it.
    mutating func addOwnConvolution(
        _ value: ValueID, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue
    ) throws(GraftError) -> Bool {
        let operands = graph[value].operands
        let (source, plain) = (try location(of: operands[0]), try location(of: operands[1]))
        guard isLoopInvariant(plain) else { return false }
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
        let threads = threads
        let elementCount = WinogradPackingStep.elementCount(geometry)
        let kernel = try packKernel(of: value, elementCount: elementCount) { plain, packed in
            WinogradPackingStep(geometry: geometry, source: plain, target: packed)
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

    /// Prepacks a convolution's weights with the step that `make` returns; returns the packed buffer.
    private mutating func packKernel(
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
