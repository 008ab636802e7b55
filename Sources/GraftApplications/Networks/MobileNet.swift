// swift-format-ignore: AlwaysUseLowerCamelCase
/// MobileNet (Howard et al., 2017): 3.2 million parameters without its top.
public let MobileNet = Base.mobileNet

extension BaseFamily {
    static let mobileNet = keras("MobileNet", license: "Apache 2.0")
}

extension Base {
    /// MobileNet of width 1.0.
    ///
    /// Keras publishes no checksums for its weights.
    public static let mobileNet = Base(
        id: "mobilenet", title: "MobileNet", modelName: "mobilenet_1.00", family: .mobileNet, defaultSize: 224,
        minimumSize: 32, cuts: ["conv_pw_5_relu", "conv_pw_11_relu", "conv_pw_13_relu"], defaultCut: "conv_pw_13_relu",
        preprocessing: .signedUnit, parameterCount: 3_228_864, parameterCountWithTop: 4_253_864, topOneAccuracy: 70.4,
        weights: mobileNetFile(224, "_no_top"), weightsWithTop: mobileNetFile(224, ""),
        weightsBySize: Dictionary(
            uniqueKeysWithValues: [128, 160, 192].map {
                ($0, (notop: mobileNetFile($0, "_no_top"), top: mobileNetFile($0, "")))
            }), network: MobileNetNetwork())

    private static func mobileNetFile(_ size: Int, _ suffix: String) -> PublishedFile {
        PublishedFile("mobilenet_1_0_\(size)_tf\(suffix).h5", in: PublishedFile.kerasFolder + "mobilenet/")
    }
}

/// MobileNet, for 224 × 224 images: thirteen pairs of a convolution that looks at each channel by itself and one of
/// 1 × 1 that mixes them, in place of full convolutions.
///
/// Features for an image of 224 × 224: (7, 7, 1024).
///
/// Sources: Howard et al., MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, 2017,
/// arXiv:1704.04861, table 1; keras/src/applications/mobilenet.py for the layers' names.
struct MobileNetNetwork: Network {
    /// Channels and stride of each pair.
    private static let table = [
        (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1),
        (1024, 2), (1024, 1),
    ]

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try image.through(
            Conv2D(32, kernelSize: 3, strides: 2, padding: .same, useBias: false, name: "conv1"),
            BatchNormalization(name: "conv1_bn"), ReLU(maxValue: 6, name: "conv1_relu"))
        for (index, (channels, strides)) in Self.table.enumerated() {
            let number = index + 1
            if strides == 2 {
                x = try ZeroPadding2D(
                    padding: EdgePadding(top: 0, bottom: 1, left: 0, right: 1), name: "conv_pad_\(number)")(x)
            }
            x = try x.through(
                DepthwiseConv2D(
                    kernelSize: 3, strides: Size2D(strides), padding: strides == 1 ? .same : .valid, useBias: false,
                    name: "conv_dw_\(number)"),
                BatchNormalization(name: "conv_dw_\(number)_bn"), ReLU(maxValue: 6, name: "conv_dw_\(number)_relu"),
                Conv2D(channels, kernelSize: 1, padding: .same, useBias: false, name: "conv_pw_\(number)"),
                BatchNormalization(name: "conv_pw_\(number)_bn"), ReLU(maxValue: 6, name: "conv_pw_\(number)_relu"))
        }
        return x
    }

    func classified(
        _ features: SymbolicTensor, classes: Int, activation: ActivationFunction
    ) throws(GraftError) -> SymbolicTensor {
        try features.through(
            GlobalAveragePooling2D(keepDims: true), Dropout(1e-3, name: "dropout"),
            Conv2D(classes, kernelSize: 1, padding: .same, name: "conv_preds"),
            Reshape([classes], name: "reshape_2"), Activation(activation, name: "predictions"))
    }

    func nameSuffix(for inputShape: Shape) -> String { "_\(inputShape[0])" }
}
