// swift-format-ignore: AlwaysUseLowerCamelCase
/// DenseNet-121 (Huang et al., 2017): 7.0 million parameters without its top.
public let DenseNet121 = Base.denseNet121

// swift-format-ignore: AlwaysUseLowerCamelCase
/// DenseNet-169 (Huang et al., 2017): 12.6 million parameters without its top.
public let DenseNet169 = Base.denseNet169

// swift-format-ignore: AlwaysUseLowerCamelCase
/// DenseNet-201 (Huang et al., 2017): 18.3 million parameters without its top.
public let DenseNet201 = Base.denseNet201

extension BaseFamily {
    static let denseNet = keras("DenseNet", license: "BSD 3-Clause, ported from Zhuang Liu's")
}

extension Base {
    /// DenseNet-121.
    public static let denseNet121 = denseNet(
        121, blocks: [6, 12, 24, 16], (7_037_504, 8_062_504), topOneAccuracy: 75.0,
        md5: ("30ee3e1110167f948a6b9946edeeb738", "9d60b8095a5708f2dcce2bca79d332c7"))

    /// DenseNet-169.
    public static let denseNet169 = denseNet(
        169, blocks: [6, 12, 32, 32], (12_642_880, 14_307_880), topOneAccuracy: 76.2,
        md5: ("b8c4d4c20dd625c148057b9ff1c1176b", "d699b8f76981ab1b30698df4c175e90b"))

    /// DenseNet-201.
    public static let denseNet201 = denseNet(
        201, blocks: [6, 12, 48, 32], (18_321_984, 20_242_984), topOneAccuracy: 77.3,
        md5: ("c13680b51ded0fb44dff2d8f86ac8bb1", "1ceb130c1ea1b78c3bf6114dbdfd8807"))

    private static func denseNet(
        _ depth: Int, blocks: [Int], _ parameterCounts: (Int, Int), topOneAccuracy: Double, md5: (String, String)
    ) -> Base {
        let name = "densenet\(depth)"
        return Base(
            id: name, title: "DenseNet\(depth)", modelName: name, family: .denseNet, defaultSize: 224, minimumSize: 32,
            cuts: ["pool3_relu", "pool4_relu", "relu"], defaultCut: "relu", preprocessing: .torch,
            parameterCount: parameterCounts.0, parameterCountWithTop: parameterCounts.1,
            topOneAccuracy: topOneAccuracy, weights: .keras("densenet", name, "_notop", md5.0),
            weightsWithTop: .keras("densenet", name, "", md5.1), network: DenseNetNetwork(blocks: blocks))
    }
}

/// DenseNet, for 224 × 224 images: four dense blocks, in which each pair of convolutions sees what all before it in the
/// block put out, and adds 32 channels.
///
/// Features for an image of 224 × 224: (7, 7, 1024), (7, 7, 1664) or (7, 7, 1920).
///
/// Sources: Huang et al., Densely Connected Convolutional Networks, CVPR 2017, arXiv:1608.06993, table 1;
/// keras/src/applications/densenet.py for the layers' names.
struct DenseNetNetwork: Network {
    /// The pairs of convolutions of each dense block.
    let blocks: [Int]
    /// The channels that a pair adds.
    private static let growth = 32

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try image.through(  // 56 × 56 × 64
            ZeroPadding2D(padding: 3), Conv2D(64, kernelSize: 7, strides: 2, useBias: false, name: "conv1_conv"),
            NormalizedActivation(normalization: "conv1_bn", activation: "conv1_relu"),
            ZeroPadding2D(padding: 1), MaxPooling2D(poolSize: 3, strides: 2, name: "pool1"))
        for (stage, pairs) in blocks.enumerated() {
            for pair in 1...pairs { x = try extended(x, name: "conv\(stage + 2)_block\(pair)") }
            if stage < 3 { x = try narrowed(x, name: "pool\(stage + 2)") }
        }
        return try x.through(NormalizedActivation(normalization: "bn", activation: "relu"))
    }

    var poolingNames: (average: String, max: String)? { ("avg_pool", "max_pool") }

    /// What comes in, and the channels that a convolution of 1 × 1 and one of 3 × 3 make of it.
    private func extended(_ x: SymbolicTensor, name: String) throws(GraftError) -> SymbolicTensor {
        let added = try x.through(
            NormalizedActivation(name: "\(name)_0"),
            Conv2D(4 * Self.growth, kernelSize: 1, useBias: false, name: "\(name)_1_conv"),
            NormalizedActivation(name: "\(name)_1"),
            Conv2D(Self.growth, kernelSize: 3, padding: .same, useBias: false, name: "\(name)_2_conv"))
        return try Concatenate(name: "\(name)_concat")([x, added])
    }

    /// Half the channels, the rows and the columns.
    private func narrowed(_ x: SymbolicTensor, name: String) throws(GraftError) -> SymbolicTensor {
        try x.through(
            NormalizedActivation(name: name),
            Conv2D(x.shape.last / 2, kernelSize: 1, useBias: false, name: "\(name)_conv"),
            AveragePooling2D(poolSize: 2, strides: 2, name: "\(name)_pool"))
    }
}
