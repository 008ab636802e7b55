// swift-format-ignore: AlwaysUseLowerCamelCase
/// ResNet-50 V2 (He et al., 2016): 23.6 million parameters without its top.
public let ResNet50V2 = Base.resNet50V2

// swift-format-ignore: AlwaysUseLowerCamelCase
/// ResNet-101 V2 (He et al., 2016): 42.6 million parameters without its top.
public let ResNet101V2 = Base.resNet101V2

// swift-format-ignore: AlwaysUseLowerCamelCase
/// ResNet-152 V2 (He et al., 2016): 58.3 million parameters without its top.
public let ResNet152V2 = Base.resNet152V2

extension BaseFamily {
    static let resNetV2 = keras("ResNetV2")
}

extension Base {
    /// ResNet-50 V2.
    public static let resNet50V2 = resNetV2(
        50, blocks: [3, 4, 6, 3], (23_564_800, 25_613_800), topOneAccuracy: 76.0,
        md5: ("fac2f116257151a9d068a22e544a4917", "3ef43a0b657b3be2300d5770ece849e0"))

    /// ResNet-101 V2.
    public static let resNet101V2 = resNetV2(
        101, blocks: [3, 4, 23, 3], (42_626_560, 44_675_560), topOneAccuracy: 77.2,
        md5: ("c0ed64b8031c3730f411d2eb4eea35b5", "6343647c601c52e1368623803854d971"))

    /// ResNet-152 V2.
    public static let resNet152V2 = resNetV2(
        152, blocks: [3, 8, 36, 3], (58_331_648, 60_380_648), topOneAccuracy: 78.0,
        md5: ("ed17cf2e0169df9d443503ef94b23b33", "a49b44d1979771252814e80f8ec446f9"))

    private static func resNetV2(
        _ depth: Int, blocks: [Int], _ parameterCounts: (Int, Int), topOneAccuracy: Double, md5: (String, String)
    ) -> Base {
        let name = "resnet\(depth)v2"
        return Base(
            id: "resnet\(depth)-v2", title: "ResNet\(depth)V2", modelName: name, family: .resNetV2, defaultSize: 224,
            minimumSize: 32,
            cuts: ["conv3_block\(blocks[1])_1_relu", "conv4_block\(blocks[2])_1_relu", "post_relu"],
            defaultCut: "post_relu", preprocessing: .signedUnit, parameterCount: parameterCounts.0,
            parameterCountWithTop: parameterCounts.1, topOneAccuracy: topOneAccuracy,
            weights: .keras("resnet", name, "_notop", md5.0), weightsWithTop: .keras("resnet", name, "", md5.1),
            network: ResNetV2Network(blocks: blocks))
    }
}

/// ResNet V2, for 224 × 224 images: ResNet with normalization and activation in front of each convolution, so that
/// nothing stands in the way from a block's input to its output.
///
/// Features for an image of 224 × 224: (7, 7, 2048).
///
/// Sources: He et al., Identity Mappings in Deep Residual Networks, ECCV 2016, arXiv:1603.05027, figure 1(b);
/// keras/src/applications/resnet.py for the layers' names, and for halving at the end of a stage.
struct ResNetV2Network: Network {
    /// The blocks of each stage.
    let blocks: [Int]

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try image.through(  // 56 × 56 × 64
            ZeroPadding2D(padding: 3, name: "conv1_pad"),
            Conv2D(64, kernelSize: 7, strides: 2, name: "conv1_conv"),
            ZeroPadding2D(padding: 1, name: "pool1_pad"),
            MaxPooling2D(poolSize: 3, strides: 2, name: "pool1_pool"))
        for (stage, (blocks, filters)) in zip(blocks, [64, 128, 256, 512]).enumerated() {
            for block in 1...blocks {
                let strides = stage < 3 && block == blocks ? 2 : 1
                x = try residual(
                    x, filters: filters, strides: strides, projects: block == 1, name: "conv\(stage + 2)_block\(block)")
            }
        }
        return try x.through(NormalizedActivation(name: "post"))
    }

    var poolingNames: (average: String, max: String)? { ("avg_pool", "max_pool") }

    /// `shortcut + f(relu(norm(x)))`: the shortcut is x itself, every other pixel of it where the block halves, or in
    /// the first block of a stage a convolution of 1 × 1 of what f sees.
    private func residual(
        _ x: SymbolicTensor, filters: Int, strides: Int, projects: Bool, name: String
    ) throws(GraftError) -> SymbolicTensor {
        let active = try x.through(NormalizedActivation(name: "\(name)_preact"))
        let shortcut =
            if projects {
                try active.through(
                    Conv2D(4 * filters, kernelSize: 1, strides: Size2D(strides), name: "\(name)_0_conv"))
            } else {
                strides > 1 ? try x.through(MaxPooling2D(poolSize: 1, strides: Size2D(strides))) : x
            }
        let residue = try active.through(
            Conv2D(filters, kernelSize: 1, useBias: false, name: "\(name)_1_conv"),
            NormalizedActivation(name: "\(name)_1"),
            ZeroPadding2D(padding: 1, name: "\(name)_2_pad"),
            Conv2D(filters, kernelSize: 3, strides: Size2D(strides), useBias: false, name: "\(name)_2_conv"),
            NormalizedActivation(name: "\(name)_2"),
            Conv2D(4 * filters, kernelSize: 1, name: "\(name)_3_conv"))
        return try Add(name: "\(name)_out")([shortcut, residue])
    }
}
