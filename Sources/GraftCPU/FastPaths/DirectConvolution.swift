extension FastPath {
    /// Graft's direct convolution in float32: its pixels may be further apart than their channels, so that it writes a slice of a
    /// concatenation, and it skips padding.
    ///
    /// Buys 62.4 → 60.4 ms of the trunk. Can go when oneDNN has fast convolutions for results with a leading dimension.
    static let directConvolution = FastPath(
        "direct-convolution", page: "05-direct-convolution", .convolution(DirectConvolution.self))
}

/// A convolution whose kernel is loop-invariant: where the result is a slice of a concatenation, which oneDNN cannot write; and
/// where windows are much padding, which oneDNN multiplies. The part of the kernel inside of the image varies from pixel to
/// pixel: a few images have too few pixels that share one.
enum DirectConvolution: ConvolutionLowering {
    static func suits(_ site: ConvolutionSite) -> Bool {
        let geometry = site.geometry
        return (geometry.coversMuchPadding ? geometry.input[0] >= 4 : site.isSlice) && fits(site)
    }

    /// What the kernel computes at all, and a panel of its kernel that fits the cache: it is read for every few pixels.
    private static func fits(_ site: ConvolutionSite) -> Bool {
        let (geometry, epilogue) = (site.geometry, site.epilogue)
        guard case .forward = site.operation, site.hasInvariantWeights, site.machine.hasFastConvolutions,
            geometry.convolution.groups == 1, !epilogue.addend, [nil, .relu].contains(epilogue.activation),
            geometry.types.input == .float32, geometry.types.plain == .float32, geometry.types.kernel == .float32
        else { return false }
        return ConvolutionStep.panelByteCount(geometry) <= site.machine.convolutionPanel
    }

    static func lower(_ site: ConvolutionSite, in compiler: inout PlanCompiler) throws(GraftError) -> Bool {
        let geometry = site.geometry
        let elementCount = ConvolutionPackingStep.elementCount(geometry)
        let kernel = try compiler.packKernel(of: site.value, elementCount: elementCount) { plain, packed in
            ConvolutionPackingStep(geometry, source: plain, target: packed)
        }
        try compiler.addConvolution(site.value, site.epilogue, kernel: kernel) { places in
            ConvolutionStep(geometry: geometry, activation: site.epilogue.activation, places: places)
        }
        return true
    }
}
