extension FastPath {
    /// Convolutions by Winograd's minimal filtering, F(m, r): a quarter of the multiplications of a 3 × 3 kernel.
    ///
    /// Buys 40 % of the trunk in float32, 15 to 25 % in bfloat16. Can go when oneDNN has it on CPUs for NHWC.
    static let winograd = FastPath("winograd", page: "01-winograd", .convolution(WinogradLowering.self))
}

enum WinogradLowering: ConvolutionLowering {
    /// Channels fill vectors; it multiplies at most half as often, tiles that reach beyond the image counted; and the transformed
    /// kernel, four times as large, is small enough to be read from a cache for each block of tiles. In bfloat16, which oneDNN
    /// multiplies twice as fast, a third of the multiplications in float32 gains nothing: a kernel of 5 × 5 with tiles of six.
    static func suits(_ site: ConvolutionSite) -> Bool {
        let (geometry, epilogue) = (site.geometry, site.epilogue)
        let (convolution, kernel, output) = (geometry.convolution, geometry.kernel, geometry.output)
        guard case .forward = site.operation, site.hasInvariantWeights, site.machine.hasVectors, !epilogue.addend,
            [nil, .relu].contains(epilogue.activation), convolution.strides == Size2D(1),
            convolution.dilation == Size2D(1), convolution.groups == 1, geometry.types.plain == .float32,
            kernel[0] == kernel[1], kernel[0] == 3 || kernel[0] == 5
        else { return false }
        let tileSize = tileSize(for: site)
        guard kernel[0] == 3 || geometry.types.input == .float32 || tileSize == 8,
            kernel[2].isMultiple(of: 16), kernel[3].isMultiple(of: WinogradStep.panel),
            kernel[2] * kernel[3] <= site.machine.winogradChannelPairs
        else { return false }
        return 2 * multiplications(geometry, tileSize: tileSize) <= output[1] * output[2] * kernel[0] * kernel[1]
    }

    /// The input tile along an axis, m + r − 1: eight where that saves a tenth of the multiplications, and where the transformed
    /// kernel, ten megabytes at most, still fits a cache. In float32 always six: eight round five times as much, over ResNet50
    /// three times as much as Keras's own float32. Compared with bfloat16's rounding it is nothing.
    private static func tileSize(for site: ConvolutionSite) -> Int {
        let geometry = site.geometry
        guard geometry.types.input == .bfloat16 else { return 6 }
        let isSmall = geometry.kernel[2] * geometry.kernel[3] <= site.machine.winogradChannelPairsOfEight
        let (six, eight) = (multiplications(geometry, tileSize: 6), multiplications(geometry, tileSize: 8))
        return isSmall && 10 * eight <= 9 * six ? 8 : 6
    }

    /// For each pair of channels of an image.
    private static func multiplications(_ geometry: ConvolutionGeometry, tileSize: Int) -> Int {
        let (tile, output) = (tileSize + 1 - geometry.kernel[0], geometry.output)
        return ((output[1] + tile - 1) / tile) * ((output[2] + tile - 1) / tile) * tileSize * tileSize
    }

    static func lower(_ site: ConvolutionSite, in compiler: inout PlanCompiler) throws(GraftError) -> Bool {
        let (geometry, tileSize) = (site.geometry, tileSize(for: site))
        let elementCount = WinogradPackingStep.elementCount(geometry, tileSize: tileSize)
        let kernel = try compiler.packKernel(of: site.value, elementCount: elementCount) { plain, packed in
            WinogradPackingStep(geometry: geometry, tileSize: tileSize, source: plain, target: packed)
        }
        try compiler.addConvolution(site.value, site.epilogue, kernel: kernel) { places in
            WinogradStep(
                geometry: geometry, tileSize: tileSize, activation: site.epilogue.activation, places: places,
                threads: site.threads)
        }
        return true
    }
}
