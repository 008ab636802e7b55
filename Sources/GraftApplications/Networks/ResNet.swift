// swift-format-ignore: AlwaysUseLowerCamelCase
/// ResNet-50 (He et al., 2016): 23.6 million parameters without its top.
public let ResNet50 = Base.resNet50

// swift-format-ignore: AlwaysUseLowerCamelCase
/// ResNet-101 (He et al., 2016): 42.7 million parameters without its top.
public let ResNet101 = Base.resNet101

// swift-format-ignore: AlwaysUseLowerCamelCase
/// ResNet-152 (He et al., 2016): 58.4 million parameters without its top.
public let ResNet152 = Base.resNet152

extension BaseFamily {
    static let resNet = keras("ResNet", license: "MIT, ported from Kaiming He's")
}

extension Base {
    /// ResNet-50.
    public static let resNet50 = resNet(
        50, blocks: [3, 4, 6, 3], (23_587_712, 25_636_712), topOneAccuracy: 74.9,
        md5: ("4d473c1dd8becc155b73f8504c6f6626", "2cb95161c43110f7111970584f804107"))

    /// ResNet-101.
    public static let resNet101 = resNet(
        101, blocks: [3, 4, 23, 3], (42_658_176, 44_707_176), topOneAccuracy: 76.4,
        md5: ("88cf7a10940856eca736dc7b7e228a21", "f1aeb4b969a6efcfb50fad2f0c20cfc5"))

    /// ResNet-152.
    public static let resNet152 = resNet(
        152, blocks: [3, 8, 36, 3], (58_370_944, 60_419_944), topOneAccuracy: 76.6,
        md5: ("ee4c566cf9a93f14d82f913c2dc6dd0c", "100835be76be38e30d865e96f2aaae62"))

    private static func resNet(
        _ depth: Int, blocks: [Int], _ parameterCounts: (Int, Int), topOneAccuracy: Double, md5: (String, String)
    ) -> Base {
        let name = "resnet\(depth)"
        return Base(
            id: name, title: "ResNet\(depth)", modelName: name, family: .resNet, defaultSize: 224, minimumSize: 32,
            cuts: ["conv3_block\(blocks[1])_out", "conv4_block\(blocks[2])_out", "conv5_block3_out"],
            defaultCut: "conv5_block3_out", preprocessing: .caffe, parameterCount: parameterCounts.0,
            parameterCountWithTop: parameterCounts.1, topOneAccuracy: topOneAccuracy,
            weights: .keras("resnet", name, "_notop", md5.0), weightsWithTop: .keras("resnet", name, "", md5.1),
            network: ResNetNetwork(blocks: blocks))
    }
}

/// ResNet, for 224 × 224 images: four stages of residual blocks, each of which adds to its input what three convolutions
/// make of it.
///
/// Features for an image of 224 × 224: (7, 7, 2048).
///
/// Sources: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385, table 1, columns
/// 50-layer to 152-layer; keras/src/applications/resnet.py for the layers' names.
struct ResNetNetwork: Network {
    /// The blocks of each stage.
    let blocks: [Int]

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try image.through(  // 56 × 56 × 64
            ZeroPadding2D(padding: 3, name: "conv1_pad"),
            convolution(64, 7, strides: 2, name: "conv1"),
            ZeroPadding2D(padding: 1, name: "pool1_pad"),
            MaxPooling2D(poolSize: 3, strides: 2, name: "pool1_pool"))
        for (stage, (blocks, filters)) in zip(blocks, [64, 128, 256, 512]).enumerated() {
            for block in 1...blocks {
                let strides = stage > 0 && block == 1 ? 2 : 1
                x = try residual(
                    x, filters: filters, strides: strides, projects: block == 1, name: "conv\(stage + 2)_block\(block)")
            }
        }
        return x
    }

    var poolingNames: (average: String, max: String)? { ("avg_pool", "max_pool") }

    /// `relu(shortcut(x) + f(x))`: f narrows to `filters` channels and widens to four times as many; the shortcut is x
    /// itself, or a convolution of 1 × 1 where the shape changes.
    private func residual(
        _ x: SymbolicTensor, filters: Int, strides: Int, projects: Bool, name: String
    ) throws(GraftError) -> SymbolicTensor {
        let shortcut =
            projects
            ? try x.through(convolution(4 * filters, 1, strides: strides, activation: .linear, name: "\(name)_0")) : x
        let residue = try x.through(
            convolution(filters, 1, strides: strides, name: "\(name)_1"),
            convolution(filters, 3, padding: .same, name: "\(name)_2"),
            convolution(4 * filters, 1, activation: .linear, name: "\(name)_3"))
        return try Add(name: "\(name)_add")([shortcut, residue]).through(Activation(.relu, name: "\(name)_out"))
    }

    /// Convolutions have a bias although a normalization follows: the published weights do.
    private func convolution(
        _ filters: Int, _ size: Int, strides: Int = 1, padding: Padding = .valid,
        activation: ActivationFunction = .relu, name: String
    ) -> ConvolutionBlock {
        ConvolutionBlock(
            filters: filters, kernelSize: Size2D(size), strides: Size2D(strides), padding: padding, useBias: true,
            epsilon: 1.001e-5, activation: activation, names: ("\(name)_conv", "\(name)_bn", "\(name)_relu"))
    }
}
