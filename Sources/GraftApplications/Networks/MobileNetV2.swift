// swift-format-ignore: AlwaysUseLowerCamelCase
/// MobileNetV2 of width 1.0 (Sandler et al., 2018): 2.3 million parameters without its top; small and fast.
///
/// Images are numbers from 0 to 255, red, green, blue: the model begins with its own preprocessing, `x / 127.5 − 1`.
/// They are of 224 × 224 by default, and at least of 32 × 32. ``BaseOptions`` says what the other
/// arguments are, which are Keras's; `includePreprocessing: false` is for images that were preprocessed before.
///
/// - Throws: `GraftError` where the arguments do not fit, or the weights cannot be had or do not fit.
public func MobileNetV2(
    weights: Weights = .none, includeTop: Bool = true, inputShape: Shape? = nil, pooling: GlobalPooling = .none,
    classes: Int = 1000, classifierActivation: ActivationFunction = .softmax, includePreprocessing: Bool = true
) throws(GraftError) -> Model {
    try Base.mobileNetV2.model(
        BaseOptions(
            weights: weights, includeTop: includeTop, inputShape: inputShape, pooling: pooling, classes: classes,
            classifierActivation: classifierActivation, preprocessing: includePreprocessing ? nil : Preprocessing.none))
}

/// MobileNetV2, for 224 × 224 images: seventeen blocks that widen their input six times, look at each channel by itself
/// and narrow it again; the narrow ends are added, so that little has to be kept.
///
/// Features for an image of 224 × 224: (7, 7, 1280).
///
/// Sources: Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018, arXiv:1801.04381,
/// table 2; keras/src/applications/mobilenet_v2.py for the layers' names.
struct MobileNetV2Network: Network {
    /// Expansion, channels, repetitions and first stride: t, c, n and s of the paper.
    private static let table = [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try image.through(
            convolution(32, 3, strides: 2, names: ("Conv1", "bn_Conv1")), relu6("Conv1_relu"))
        var block = 0
        for (expansion, channels, repetitions, firstStride) in Self.table {
            for repetition in 0..<repetitions {
                let strides = repetition == 0 ? firstStride : 1
                let prefix = block == 0 ? "expanded_conv_" : "block_\(block)_"
                x = try bottleneck(x, expansion: expansion, channels: channels, strides: strides, prefix: prefix)
                block += 1
            }
        }
        return try x.through(
            convolution(1280, 1, padding: .valid, names: ("Conv_1", "Conv_1_bn")), relu6("out_relu"))
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
        if strides == 2 { x = try ZeroPadding2D(padding: halvingPadding(of: x.shape), name: prefix + "pad")(x) }
        x = try x.through(
            DepthwiseConv2D(
                kernelSize: 3, strides: Size2D(strides), padding: strides == 1 ? .same : .valid, useBias: false,
                name: prefix + "depthwise"),
            BatchNormalization(momentum: 0.999, name: prefix + "depthwise_BN"), relu6(prefix + "depthwise_relu"),
            convolution(channels, 1, names: (prefix + "project", prefix + "project_BN")))
        return strides == 1 && input.shape == x.shape ? try Add(name: prefix + "add")([input, x]) : x
    }

    /// One row below and one column to the right, and above and to the left where the size is odd.
    private func halvingPadding(of shape: Shape) -> EdgePadding {
        EdgePadding(top: shape[0] % 2, bottom: 1, left: shape[1] % 2, right: 1)
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
