import GraftFormats

// swift-format-ignore: AlwaysUseLowerCamelCase
/// SqueezeNet 1.0 (Iandola et al., 2016): 0.7 million parameters without its top; AlexNet's accuracy in a fiftieth of its
/// size.
///
/// Weights are a file's: a `.safetensors` with the names of Caffe's layers (`fire2/conv1x1_1.weight`), of floats of 16 or 32
/// bits. None are published in a form that Graft reads, so that `.imagenet` is an error.
public let SqueezeNet = Base.squeezeNet

extension BaseFamily {
    static let squeezeNet = BaseFamily(
        "SqueezeNet", license: "BSD 2-Clause", source: "github.com/songhan/SqueezeNet-Deep-Compression")
}

extension Base {
    /// SqueezeNet 1.0.
    ///
    /// No weights are published in a form that Graft reads; see ``SqueezeNet``.
    public static let squeezeNet = Base(
        id: "squeezenet", title: "SqueezeNet", modelName: "squeezenet", family: .squeezeNet, defaultSize: 227,
        minimumSize: 32, cuts: ["fire4_concat", "fire8_concat", "fire9_concat"], defaultCut: "fire9_concat",
        preprocessing: .caffeWhole, parameterCount: 735_424, parameterCountWithTop: 1_248_424, weights: nil,
        weightsWithTop: nil, network: SqueezeNetNetwork())
}

/// SqueezeNet 1.0, for 227 × 227 images: fire modules, which narrow to a few channels and look at those through windows of
/// 1 × 1 and 3 × 3; the top is one convolution and a mean.
///
/// Features for an image of 227 × 227: (13, 13, 512).
///
/// Sources: Iandola et al., SqueezeNet, 2016, arXiv:1602.07360, table 1; the network of
/// github.com/songhan/SqueezeNet-Deep-Compression for the layers' names, strides and edges.
struct SqueezeNetNetwork: Network {
    /// The channels that each fire module narrows to, from `fire2` on; it puts out eight times as many.
    private static let squeezes = [16, 16, 32, 32, 48, 48, 64, 64]

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try Conv2D(96, kernelSize: 7, strides: 2, activation: .relu, name: "conv1")(image)
        x = try halved(x, name: "pool1")
        for (number, squeeze) in zip(2..., Self.squeezes) {
            x = try fire(x, squeeze: squeeze, name: "fire\(number)")
            if number == 4 || number == 8 { x = try halved(x, name: "pool\(number)") }
        }
        return x
    }

    func classified(
        _ features: SymbolicTensor, classes: Int, activation: ActivationFunction
    ) throws(GraftError) -> SymbolicTensor {
        // A frame of zeros around the last convolution is Caffe's, and the weights were trained with it.
        try features.through(
            Dropout(0.5, name: "drop9"), ZeroPadding2D(padding: 1, name: "conv_final_pad"),
            Conv2D(classes, kernelSize: 1, activation: .relu, name: "conv_final"),
            GlobalAveragePooling2D(name: "pool_final"), Activation(activation, name: "predictions"))
    }

    var pyTorch: PyTorchLayout? {
        var modules = ["conv1": "conv1", "conv_final": "conv_final"]
        for number in 2...9 {
            for layer in ["conv1x1_1", "conv1x1_2", "conv3x3_2"] {
                modules["fire\(number)_\(layer)"] = "fire\(number)/\(layer)"
            }
        }
        return PyTorchLayout(package: "Caffe's SqueezeNet 1.0", modules: modules)
    }

    private func fire(_ x: SymbolicTensor, squeeze: Int, name: String) throws(GraftError) -> SymbolicTensor {
        let narrow = try Conv2D(squeeze, kernelSize: 1, activation: .relu, name: "\(name)_conv1x1_1")(x)
        return try Concatenate(name: "\(name)_concat")([
            Conv2D(4 * squeeze, kernelSize: 1, activation: .relu, name: "\(name)_conv1x1_2")(narrow),
            Conv2D(4 * squeeze, kernelSize: 3, padding: .same, activation: .relu, name: "\(name)_conv3x3_2")(narrow),
        ])
    }

    /// The largest of each 3 × 3, at every other place; Caffe's last window may stand out below and to the right. Zeros there
    /// change no maximum of what came out of a ReLU.
    private func halved(_ x: SymbolicTensor, name: String) throws(GraftError) -> SymbolicTensor {
        let out = EdgePadding(top: 0, bottom: 1 - x.shape[0] % 2, left: 0, right: 1 - x.shape[1] % 2)
        return try x.through(
            ZeroPadding2D(padding: out, name: "\(name)_pad"), MaxPooling2D(poolSize: 3, strides: 2, name: name))
    }
}
