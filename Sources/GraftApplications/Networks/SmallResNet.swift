import GraftFormats

// swift-format-ignore: AlwaysUseLowerCamelCase
/// ResNet-18 (He et al., 2016): 11.2 million parameters without its top.
///
/// Weights are a file's: a `.safetensors` with torchvision's or timm's names (`layer1.0.conv1.weight`). None are published in
/// a form that Graft reads, so that `.imagenet` is an error.
public let ResNet18 = Base.resNet18

// swift-format-ignore: AlwaysUseLowerCamelCase
/// ResNet-34 (He et al., 2016): 21.3 million parameters without its top.
///
/// Weights are a file's, as those of ``ResNet18``.
public let ResNet34 = Base.resNet34

extension BaseFamily {
    static let smallResNet = BaseFamily(
        "ResNet of basic blocks", license: "BSD 3-Clause", source: "torchvision's; see pytorch/vision#160")
}

extension Base {
    /// ResNet-18.
    public static let resNet18 = smallResNet(18, blocks: [2, 2, 2, 2], (11_186_112, 11_699_112))

    /// ResNet-34.
    public static let resNet34 = smallResNet(34, blocks: [3, 4, 6, 3], (21_301_696, 21_814_696))

    private static func smallResNet(_ depth: Int, blocks: [Int], _ parameterCounts: (Int, Int)) -> Base {
        let ends = (1...3).map { "layer\($0 + 1)_\(blocks[$0] - 1)_out" }
        return Base(
            id: "resnet\(depth)", title: "ResNet\(depth)", modelName: "resnet\(depth)", family: .smallResNet,
            defaultSize: 224, minimumSize: 32, cuts: ends, defaultCut: ends[2], preprocessing: .torch,
            parameterCount: parameterCounts.0, parameterCountWithTop: parameterCounts.1, weights: nil,
            weightsWithTop: nil, network: SmallResNetNetwork(blocks: blocks))
    }
}

/// ResNet-18 and ResNet-34, for 224 × 224 images: four stages of residual blocks of two 3 × 3 convolutions.
///
/// Features for an image of 224 × 224: (7, 7, 512).
///
/// Sources: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385, table 1, columns
/// 18-layer and 34-layer; torchvision/models/resnet.py for the weights' names. Keras has no such network: layers are called
/// as torchvision's modules are, with underscores.
struct SmallResNetNetwork: Network {
    /// The blocks of each stage.
    let blocks: [Int]

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try image.through(  // 56 × 56 × 64
            ZeroPadding2D(padding: 3, name: "conv1_pad"),
            convolution(64, 7, strides: 2, padding: .valid, names: ("conv1", "bn1", "relu")),
            ZeroPadding2D(padding: 1, name: "maxpool_pad"), MaxPooling2D(poolSize: 3, strides: 2, name: "maxpool"))
        for (stage, (blocks, filters)) in zip(blocks, [64, 128, 256, 512]).enumerated() {
            for block in 0..<blocks {
                x = try residual(
                    x, filters: filters, strides: stage > 0 && block == 0 ? 2 : 1, name: "layer\(stage + 1)_\(block)")
            }
        }
        return x
    }

    func classifierInput(of features: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try GlobalAveragePooling2D(name: "avgpool")(features)
    }

    /// A convolution that halves has a frame of zeros on all sides, which `same` has not.
    private func residual(
        _ x: SymbolicTensor, filters: Int, strides: Int, name: String
    ) throws(GraftError) -> SymbolicTensor {
        let residue = try x.through(
            ZeroPadding2D(padding: 1, name: "\(name)_pad1"),
            convolution(
                filters, 3, strides: strides, padding: .valid, names: ("\(name)_conv1", "\(name)_bn1", "\(name)_relu")),
            convolution(filters, 3, names: ("\(name)_conv2", "\(name)_bn2", nil)))
        let shortcut =
            x.shape.last == filters
            ? x
            : try x.through(
                convolution(
                    filters, 1, strides: strides, padding: .valid,
                    names: ("\(name)_downsample_0", "\(name)_downsample_1", nil)))
        return try Add(name: "\(name)_add")([residue, shortcut]).through(Activation(.relu, name: "\(name)_out"))
    }

    /// torchvision's names.
    var pyTorch: PyTorchLayout? {
        var modules = ["conv1": "conv1", "bn1": "bn1", "predictions": "fc"]
        for (stage, blocks) in zip(1..., blocks) {
            for block in 0..<blocks {
                for layer in ["conv1", "bn1", "conv2", "bn2"] {
                    modules["layer\(stage)_\(block)_\(layer)"] = "layer\(stage).\(block).\(layer)"
                }
            }
            guard stage > 1 else { continue }
            for part in 0...1 { modules["layer\(stage)_0_downsample_\(part)"] = "layer\(stage).0.downsample.\(part)" }
        }
        return PyTorchLayout(package: "PyTorch's package torchvision", modules: modules)
    }

    private func convolution(
        _ filters: Int, _ size: Int, strides: Int = 1, padding: Padding = .same, names: (String, String, String?)
    ) -> ConvolutionBlock {
        ConvolutionBlock(
            filters: filters, kernelSize: Size2D(size), strides: Size2D(strides), padding: padding, epsilon: 1e-5,
            momentum: 0.9, activation: names.2 == nil ? .linear : .relu, names: names)
    }
}
