// swift-format-ignore: AlwaysUseLowerCamelCase
/// Xception (Chollet, 2017): 20.9 million parameters without its top.
public let Xception = Base.xception

extension BaseFamily {
    static let xception = keras("Xception", license: "MIT, trained by Keras's authors")
}

extension Base {
    /// Xception.
    public static let xception = Base(
        id: "xception", title: "Xception", modelName: "xception", family: .xception, defaultSize: 299, minimumSize: 71,
        cuts: ["block4_sepconv2_bn", "block13_sepconv2_bn", "block14_sepconv2_act"], defaultCut: "block14_sepconv2_act",
        preprocessing: .signedUnit, parameterCount: 20_861_480, parameterCountWithTop: 22_910_480, topOneAccuracy: 79.0,
        weights: .keras("xception", "xception", "_notop", "b0042744bf5b25fce3cb969f33bebb97"),
        weightsWithTop: .keras("xception", "xception", "", "0a58e3b7378bc2990ea3b43d5981f1f6"),
        network: XceptionNetwork())
}

/// Xception, for 299 × 299 images: separable convolutions alone, in blocks that are added to their input.
///
/// Features for an image of 299 × 299: (10, 10, 2048).
///
/// Sources: Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, CVPR 2017, arXiv:1610.02357,
/// figure 5; keras/src/applications/xception.py for the layers' names.
struct XceptionNetwork: Network {
    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try image.through(
            convolution(32, strides: 2, name: "block1_conv1"), convolution(64, strides: 1, name: "block1_conv2"))
        // Entry flow: each block halves rows and columns.
        x = try halved(x, 128, 128, name: "block2", beginsActive: true)
        x = try halved(x, 256, 256, name: "block3")
        x = try halved(x, 728, 728, name: "block4")
        // Middle flow.
        for block in 5...12 {
            let residue = try x.through(
                separable(728, "block\(block)_sepconv1"), separable(728, "block\(block)_sepconv2"),
                separable(728, "block\(block)_sepconv3"))
            x = try Add()([residue, x])
        }
        // Exit flow.
        x = try halved(x, 728, 1024, name: "block13")
        return try x.through(
            separable(1536, "block14_sepconv1", activates: .after),
            separable(2048, "block14_sepconv2", activates: .after))
    }

    /// Two separable convolutions and a pooling, added to a convolution of 1 × 1.
    private func halved(
        _ x: SymbolicTensor, _ first: Int, _ second: Int, name: String, beginsActive: Bool = false
    ) throws(GraftError) -> SymbolicTensor {
        let shortcut = try x.through(
            ConvolutionBlock(filters: second, kernelSize: 1, strides: 2, activation: .linear))
        let residue = try x.through(
            separable(first, "\(name)_sepconv1", activates: beginsActive ? .never : .before),
            separable(second, "\(name)_sepconv2"),
            MaxPooling2D(poolSize: 3, strides: 2, padding: .same, name: "\(name)_pool"))
        return try Add()([residue, shortcut])
    }

    private func convolution(_ filters: Int, strides: Int, name: String) -> ConvolutionBlock {
        ConvolutionBlock(
            filters: filters, kernelSize: 3, strides: Size2D(strides), padding: .valid,
            names: (name, "\(name)_bn", "\(name)_act"))
    }

    private func separable(
        _ filters: Int, _ name: String, activates: SeparableBlock.Activity = .before
    ) -> SeparableBlock {
        SeparableBlock(filters: filters, activity: activates, name: name)
    }
}

/// A separable convolution of 3 × 3 with its normalization, and its activation in front or behind.
private struct SeparableBlock: Block {
    enum Activity { case before, after, never }

    let filters: Int
    let activity: Activity
    let name: String

    func output(for input: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        let active = activity == .before ? try activation(input) : input
        let normalized = try active.through(
            SeparableConv2D(filters, kernelSize: 3, padding: .same, useBias: false, name: name),
            BatchNormalization(name: "\(name)_bn"))
        return activity == .after ? try activation(normalized) : normalized
    }

    private func activation(_ x: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try Activation(.relu, name: "\(name)_act")(x)
    }
}
