// swift-format-ignore: AlwaysUseLowerCamelCase
/// MobileNetV2 (Sandler et al., 2018), small and fast: 2.3 million parameters without its top at width 1.0.
///
/// - Parameter alpha: How wide its layers are: 0.35, 0.5, 0.75, 1.0, 1.3 or 1.4. The other arguments are those of all bases:
///   see ``Base/callAsFunction(weights:includeTop:inputShape:pooling:classes:classifierActivation:includePreprocessing:)``.
/// - Throws: `GraftError` where the arguments do not fit, or the weights cannot be had or do not fit.
public func MobileNetV2(
    alpha: Double = 1, weights: Weights = .none, includeTop: Bool = true, inputShape: Shape? = nil,
    pooling: GlobalPooling = .none, classes: Int = 1000, classifierActivation: ActivationFunction = .softmax,
    includePreprocessing: Bool = true
) throws(GraftError) -> Model {
    try Base.mobileNetV2(alpha: alpha)(
        weights: weights, includeTop: includeTop, inputShape: inputShape, pooling: pooling, classes: classes,
        classifierActivation: classifierActivation, includePreprocessing: includePreprocessing)
}

extension BaseFamily {
    static let mobileNetV2 = keras("MobileNetV2", license: "Apache 2.0")
}

extension Base {
    /// MobileNetV2 of width 1.0.
    ///
    /// Keras publishes no checksums for its weights.
    public static let mobileNetV2 = mobileNetV2("1.0", 1, (2_257_984, 3_538_984), topOneAccuracy: 71.3)

    /// All widths that Keras publishes weights of, the narrowest first.
    static let mobileNetV2Widths = [
        mobileNetV2("0.35", 0.35, (410_208, 1_691_208)), mobileNetV2("0.5", 0.5, (706_224, 1_987_224)),
        mobileNetV2("0.75", 0.75, (1_382_064, 2_663_064)), mobileNetV2, mobileNetV2("1.3", 1.3, (3_766_048, 5_431_048)),
        mobileNetV2("1.4", 1.4, (4_363_712, 6_156_712)),
    ]

    /// MobileNetV2 of one of the widths that weights are published of.
    ///
    /// - Throws: `GraftError` with code `argument` naming the widths, for any other.
    public static func mobileNetV2(alpha: Double) throws(GraftError) -> Base {
        let known = mobileNetV2Widths.first { ($0.network as? MobileNetV2Network)?.alpha == alpha }
        if let known { return known }
        throw GraftError(.argument, "MobileNetV2 has the widths 0.35, 0.5, 0.75, 1.0, 1.3 and 1.4; received \(alpha)")
    }

    private static func mobileNetV2(
        _ width: String, _ alpha: Double, _ parameterCounts: (Int, Int), topOneAccuracy: Double? = nil
    ) -> Base {
        func file(_ size: Int, _ suffix: String) -> PublishedFile {
            .keras("mobilenet_v2", "mobilenet_v2", "_\(width)_\(size)\(suffix)", nil)
        }
        let sizes = [96, 128, 160, 192].map { ($0, (notop: file($0, "_no_top"), top: file($0, ""))) }
        return Base(
            id: alpha == 1 ? "mobilenet-v2" : "mobilenet-v2-\(width)",
            title: alpha == 1 ? "MobileNetV2" : "MobileNetV2-\(width)",
            modelName: "mobilenetv2_" + (width.count < 4 ? width + "0" : width), family: .mobileNetV2, defaultSize: 224,
            minimumSize: 32,
            cuts: ["block_6_project_BN", "block_13_project_BN", "block_16_project_BN", "out_relu"],
            defaultCut: "out_relu", preprocessing: .signedUnit, parameterCount: parameterCounts.0,
            parameterCountWithTop: parameterCounts.1, topOneAccuracy: topOneAccuracy,
            weights: file(224, "_no_top"), weightsWithTop: file(224, ""),
            weightsBySize: Dictionary(uniqueKeysWithValues: sizes),
            network: MobileNetV2Network(alpha: alpha))
    }
}

/// MobileNetV2, for 224 × 224 images: seventeen blocks that widen their input six times, look at each channel by itself
/// and narrow it again; the narrow ends are added, so that little has to be kept.
///
/// Features for an image of 224 × 224: (7, 7, 1280), more channels where it is wider than 1.0.
///
/// Sources: Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018, arXiv:1801.04381,
/// table 2; keras/src/applications/mobilenet_v2.py for the layers' names.
struct MobileNetV2Network: Network {
    /// What the table's channels are multiplied by: α of the paper.
    let alpha: Double

    /// Expansion, channels, repetitions and first stride: t, c, n and s of the paper.
    private static let table = [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        let first = dividedWidth(32 * alpha)
        var x = try image.through(
            convolution(first, 3, strides: 2, names: ("Conv1", "bn_Conv1")), relu6("Conv1_relu"))
        var block = 0
        for (expansion, channels, repetitions, firstStride) in Self.table {
            let channels = dividedWidth((Double(channels) * alpha).rounded(.down))
            for repetition in 0..<repetitions {
                let strides = repetition == 0 ? firstStride : 1
                let prefix = block == 0 ? "expanded_conv_" : "block_\(block)_"
                x = try bottleneck(x, expansion: expansion, channels: channels, strides: strides, prefix: prefix)
                block += 1
            }
        }
        // A narrow network has as many features as one of width 1.0.
        let last = dividedWidth(1280 * max(alpha, 1))
        return try x.through(
            convolution(last, 1, padding: .valid, names: ("Conv_1", "Conv_1_bn")), relu6("out_relu"))
    }

    func classifierInput(of features: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try GlobalAveragePooling2D()(features)
    }

    func nameSuffix(for inputShape: Shape) -> String { "_\(inputShape[0])" }

    /// Widens, filters each channel, narrows without activation, and adds the input where the shapes agree.
    private func bottleneck(
        _ input: SymbolicTensor, expansion: Int, channels: Int, strides: Int, prefix: String
    ) throws(GraftError) -> SymbolicTensor {
        var x = input
        if expansion > 1 {
            let names = (prefix + "expand", prefix + "expand_BN")
            x = try x.through(convolution(expansion * input.shape.last, 1, names: names), relu6(prefix + "expand_relu"))
        }
        if strides == 2 { x = try ZeroPadding2D(padding: .halving(x.shape, kernelSize: 3), name: prefix + "pad")(x) }
        x = try x.through(
            DepthwiseConv2D(
                kernelSize: 3, strides: Size2D(strides), padding: strides == 1 ? .same : .valid, useBias: false,
                name: prefix + "depthwise"),
            BatchNormalization(momentum: 0.999, name: prefix + "depthwise_BN"), relu6(prefix + "depthwise_relu"),
            convolution(channels, 1, names: (prefix + "project", prefix + "project_BN")))
        return strides == 1 && input.shape == x.shape ? try Add(name: prefix + "add")([input, x]) : x
    }

    private func relu6(_ name: String) -> ReLU { ReLU(maxValue: 6, name: name) }

    private func convolution(
        _ filters: Int, _ size: Int, strides: Int = 1, padding: Padding = .same, names: (String, String)
    ) -> ConvolutionBlock {
        ConvolutionBlock(
            filters: filters, kernelSize: Size2D(size), strides: Size2D(strides), padding: padding, momentum: 0.999,
            activation: .linear, names: (names.0, names.1, nil))
    }
}
