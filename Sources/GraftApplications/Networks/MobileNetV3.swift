// swift-format-ignore: AlwaysUseLowerCamelCase
/// MobileNetV3 Small (Howard et al., 2019): 0.9 million parameters without its top.
public let MobileNetV3Small = Base.mobileNetV3Small

// swift-format-ignore: AlwaysUseLowerCamelCase
/// MobileNetV3 Large (Howard et al., 2019): 3.0 million parameters without its top.
public let MobileNetV3Large = Base.mobileNetV3Large

extension BaseFamily {
    static let mobileNetV3 = keras("MobileNetV3")
}

extension Base {
    /// MobileNetV3 Small.
    public static let mobileNetV3Small = mobileNetV3(
        "Small", .small, (939_120, 2_554_968), cuts: ["expanded_conv_2_add", "expanded_conv_7_add"],
        md5: ("d3e8ec802a04aa4fc771ee12a9a9b836", "8768d4c2e7dee89b9d02b2d03d65d862"))

    /// MobileNetV3 Large.
    public static let mobileNetV3Large = mobileNetV3(
        "Large", .large, (2_996_352, 5_507_432), cuts: ["expanded_conv_5_add", "expanded_conv_11_add"],
        md5: ("07fb09a5933dd0c8eaafa16978110389", "59e551e166be033d707958cf9e29a6a7"))

    private static func mobileNetV3(
        _ size: String, _ network: MobileNetV3Network, _ parameterCounts: (Int, Int), cuts: [String],
        md5: (String, String)
    ) -> Base {
        let folder = PublishedFile.kerasFolder + "mobilenet_v3/"
        let file = "weights_mobilenet_v3_\(size.lowercased())_224_1.0_float"
        return Base(
            id: "mobilenet-v3-\(size.lowercased())", title: "MobileNetV3\(size)", modelName: "MobileNetV3\(size)",
            family: .mobileNetV3, defaultSize: 224, minimumSize: 32, cuts: cuts + [network.lastLayer],
            defaultCut: network.lastLayer, preprocessing: .signedUnit, parameterCount: parameterCounts.0,
            parameterCountWithTop: parameterCounts.1,
            weights: PublishedFile("\(file)_no_top_v2.h5", in: folder, checksum: .md5(md5.0)),
            weightsWithTop: PublishedFile("\(file).h5", in: folder, checksum: .md5(md5.1)), network: network)
    }
}

/// MobileNetV3, for 224 × 224 images: blocks as MobileNetV2's, found by search, some of which weigh their channels by a look at
/// all places.
///
/// Features for an image of 224 × 224: (7, 7, 576) or (7, 7, 960).
///
/// Sources: Howard et al., Searching for MobileNetV3, ICCV 2019, arXiv:1905.02244, tables 1 and 2;
/// keras/src/applications/mobilenet_v3.py for the layers' names.
struct MobileNetV3Network: Network {
    /// Expansion, channels, kernel, stride, squeeze-and-excite and hard swish, which others have ReLU for.
    let table: [(Double, Int, Int, Int, Bool, Bool)]
    /// The channels of the top's own convolution.
    let topChannels: Int

    static let small = MobileNetV3Network(
        table: [
            (1, 16, 3, 2, true, false), (72.0 / 16, 24, 3, 2, false, false), (88.0 / 24, 24, 3, 1, false, false),
            (4, 40, 5, 2, true, true), (6, 40, 5, 1, true, true), (6, 40, 5, 1, true, true), (3, 48, 5, 1, true, true),
            (3, 48, 5, 1, true, true), (6, 96, 5, 2, true, true), (6, 96, 5, 1, true, true), (6, 96, 5, 1, true, true),
        ], topChannels: 1024)

    static let large = MobileNetV3Network(
        table: [
            (1, 16, 3, 1, false, false), (4, 24, 3, 2, false, false), (3, 24, 3, 1, false, false),
            (3, 40, 5, 2, true, false), (3, 40, 5, 1, true, false), (3, 40, 5, 1, true, false),
            (6, 80, 3, 2, false, true), (2.5, 80, 3, 1, false, true), (2.3, 80, 3, 1, false, true),
            (2.3, 80, 3, 1, false, true), (6, 112, 3, 1, true, true), (6, 112, 3, 1, true, true),
            (6, 160, 5, 2, true, true), (6, 160, 5, 1, true, true), (6, 160, 5, 1, true, true),
        ], topChannels: 1280)

    /// The last activation, whose name follows from how many there are of its kind.
    var lastLayer: String {
        // One behind the first convolution, one or two in each block, this one.
        let earlier = 1 + table.enumerated().reduce(0) { $0 + ($1.element.5 ? ($1.offset == 0 ? 1 : 2) : 0) }
        return "activation_\(earlier)"
    }

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try image.through(
            convolution(16, 3, strides: 2, names: ("conv", "conv_bn")), Activation(.hardSilu))
        var excited = 0
        for (block, row) in table.enumerated() {
            let prefix = block == 0 ? "expanded_conv_" : "expanded_conv_\(block)_"
            let input = x
            let width = dividedWidth(Double(x.shape.last) * row.0)
            if block > 0 {
                x = try x.through(
                    convolution(width, 1, names: (prefix + "expand", prefix + "expand_bn")), activation(row.5))
            }
            x = try filtered(x, kernelSize: row.2, strides: row.3, prefix: prefix).through(activation(row.5))
            if row.4 {
                x = try weighed(x, channels: width, number: excited, prefix: prefix)
                excited += 1
            }
            x = try x.through(convolution(row.1, 1, names: (prefix + "project", prefix + "project_bn")))
            if row.3 == 1, input.shape == x.shape { x = try Add(name: prefix + "add")([input, x]) }
        }
        return try x.through(
            convolution(dividedWidth(Double(x.shape.last) * 6), 1, names: ("conv_1", "conv_1_bn")),
            Activation(.hardSilu))
    }

    func classified(
        _ features: SymbolicTensor, classes: Int, activation: ActivationFunction
    ) throws(GraftError) -> SymbolicTensor {
        try features.through(
            GlobalAveragePooling2D(keepDims: true),
            Conv2D(topChannels, kernelSize: 1, padding: .same, name: "conv_2"), Activation(.hardSilu), Dropout(0.2),
            Conv2D(classes, kernelSize: 1, padding: .same, name: "logits"), Flatten(),
            Activation(activation, name: "predictions"))
    }

    var preprocessingIsKerass: Bool { true }

    var poolingNames: (average: String, max: String)? { ("avg_pool", "max_pool") }

    /// Each channel by itself.
    private func filtered(
        _ input: SymbolicTensor, kernelSize: Int, strides: Int, prefix: String
    ) throws(GraftError) -> SymbolicTensor {
        var x = input
        if strides == 2 {
            x = try ZeroPadding2D(padding: .halving(x.shape, kernelSize: kernelSize), name: prefix + "depthwise_pad")(x)
        }
        return try x.through(
            DepthwiseConv2D(
                kernelSize: Size2D(kernelSize), strides: Size2D(strides), padding: strides == 1 ? .same : .valid,
                useBias: false, name: prefix + "depthwise"),
            BatchNormalization(momentum: 0.999, name: prefix + "depthwise_bn"))
    }

    /// Squeeze-and-excite: each channel times a number from 0 to 1 that the means of all channels decide.
    ///
    /// That number is `relu6(x + 3) / 6`. Keras's models have operations without layers for the addition and the
    /// multiplication; these layers have their names.
    private func weighed(
        _ x: SymbolicTensor, channels: Int, number: Int, prefix: String
    ) throws(GraftError) -> SymbolicTensor {
        let suffix = number == 0 ? "" : "_\(number)"
        let weights = try x.through(
            GlobalAveragePooling2D(keepDims: true, name: prefix + "squeeze_excite_avg_pool"),
            Conv2D(
                dividedWidth(Double(channels) * 0.25), kernelSize: 1, padding: .same,
                name: prefix + "squeeze_excite_conv"),
            ReLU(name: prefix + "squeeze_excite_relu"),
            Conv2D(channels, kernelSize: 1, padding: .same, name: prefix + "squeeze_excite_conv_1"),
            Rescaling(1, offset: 3, name: "add\(suffix)"), ReLU(maxValue: 6),
            Rescaling(1 / 6.0, name: "multiply\(suffix)"))
        return try Multiply(name: prefix + "squeeze_excite_mul")([x, weights])
    }

    private func activation(_ isHardSilu: Bool) -> Layer { isHardSilu ? Activation(.hardSilu) : ReLU() }

    private func convolution(
        _ filters: Int, _ size: Int, strides: Int = 1, names: (String, String)
    ) -> ConvolutionBlock {
        ConvolutionBlock(
            filters: filters, kernelSize: Size2D(size), strides: Size2D(strides), momentum: 0.999,
            activation: .linear, names: (names.0, names.1, nil))
    }
}
