// swift-format-ignore: AlwaysUseLowerCamelCase
/// Inception-ResNet v2 (Szegedy et al., 2017): 54.3 million parameters without its top.
public let InceptionResNetV2 = Base.inceptionResNetV2

extension BaseFamily {
    static let inceptionResNet = keras("Inception-ResNet", license: "Apache 2.0")
}

extension Base {
    /// Inception-ResNet v2.
    public static let inceptionResNetV2 = Base(
        id: "inception-resnet-v2", title: "InceptionResNetV2", modelName: "inception_resnet_v2",
        family: .inceptionResNet, defaultSize: 299, minimumSize: 75,
        cuts: ["block35_10_ac", "block17_20_ac", "conv_7b_ac"], defaultCut: "conv_7b_ac", preprocessing: .signedUnit,
        parameterCount: 54_336_736, parameterCountWithTop: 55_873_736, topOneAccuracy: 80.3,
        weights: .keras("inception_resnet_v2", "inception_resnet_v2", "_notop", "d19885ff4a710c122648d3b5c3b684e4"),
        weightsWithTop: .keras("inception_resnet_v2", "inception_resnet_v2", "", "e693bd0210a403b3192acc6073ad2e96"),
        network: InceptionResNetV2Network())
}

/// Inception-ResNet v2, for 299 × 299 images: Inception's stem, then forty modules that add to their input a small part of
/// what they see in it.
///
/// Features for an image of 299 × 299: (8, 8, 1536).
///
/// Sources: Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning, AAAI 2017,
/// arXiv:1602.07261, figure 15; keras/src/applications/inception_resnet_v2.py for the stem, which is Inception v3's, and the
/// layers' order and names.
struct InceptionResNetV2Network: Network {
    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try mixed5b(of: stem(of: image))  // 35 × 35 × 320
        for block in 1...10 {
            x = try residual(
                x, scale: 0.17, name: "block35_\(block)",
                x.through(convolution(32, 1)), x.through(convolution(32, 1), convolution(32, 3)),
                x.through(convolution(32, 1), convolution(48, 3), convolution(64, 3)))
        }
        x = try joined(  // 17 × 17 × 1088
            "mixed_6a", x.through(halving(384)), x.through(convolution(256, 1), convolution(256, 3), halving(384)),
            x.through(MaxPooling2D(poolSize: 3, strides: 2)))
        for block in 1...20 {
            x = try residual(
                x, scale: 0.1, name: "block17_\(block)",
                x.through(convolution(192, 1)),
                x.through(convolution(128, 1), convolution(160, 1, 7), convolution(192, 7, 1)))
        }
        x = try joined(  // 8 × 8 × 2080
            "mixed_7a", x.through(convolution(256, 1), halving(384)), x.through(convolution(256, 1), halving(288)),
            x.through(convolution(256, 1), convolution(288, 3), halving(320)),
            x.through(MaxPooling2D(poolSize: 3, strides: 2)))
        for block in 1...10 {
            x = try residual(
                x, scale: block < 10 ? 0.2 : 1, activates: block < 10, name: "block8_\(block)",
                x.through(convolution(192, 1)),
                x.through(convolution(192, 1), convolution(224, 1, 3), convolution(256, 3, 1)))
        }
        var last = convolution(1536, 1)
        last.names = ("conv_7b", "conv_7b_bn", "conv_7b_ac")
        return try x.through(last)
    }

    /// What comes before the modules: 299 × 299 to 35 × 35.
    private func stem(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try image.through(
            convolution(32, 3, strides: 2, padding: .valid), convolution(32, 3, padding: .valid), convolution(64, 3),
            MaxPooling2D(poolSize: 3, strides: 2),
            convolution(80, 1, padding: .valid), convolution(192, 3, padding: .valid),
            MaxPooling2D(poolSize: 3, strides: 2))
    }

    private func mixed5b(of x: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try joined(
            "mixed_5b", x.through(convolution(96, 1)), x.through(convolution(48, 1), convolution(64, 5)),
            x.through(convolution(64, 1), convolution(96, 3), convolution(96, 3)),
            x.through(AveragePooling2D(poolSize: 3, strides: 1, padding: .same), convolution(64, 1)))
    }

    /// The input and a part of what a convolution of 1 × 1 makes of the branches.
    private func residual(
        _ x: SymbolicTensor, scale: Double, activates: Bool = true, name: String, _ branches: SymbolicTensor...
    ) throws(GraftError) -> SymbolicTensor {
        let residue = try Concatenate(name: "\(name)_mixed")(branches)
            .through(Conv2D(x.shape.last, kernelSize: 1, padding: .same, name: "\(name)_conv"))
        let sum = try CustomScaleLayer(scale)([x, residue])
        return activates ? try Activation(.relu, name: "\(name)_ac")(sum) : sum
    }

    private func joined(_ name: String, _ branches: SymbolicTensor...) throws(GraftError) -> SymbolicTensor {
        try Concatenate(name: name)(branches)
    }

    private func halving(_ filters: Int) -> ConvolutionBlock { convolution(filters, 3, strides: 2, padding: .valid) }

    /// Batch normalization without scale after each convolution, which has no bias.
    private func convolution(
        _ filters: Int, _ height: Int, _ width: Int? = nil, strides: Int = 1, padding: Padding = .same
    ) -> ConvolutionBlock {
        ConvolutionBlock(
            filters: filters, kernelSize: Size2D(height, width ?? height), strides: Size2D(strides), padding: padding,
            scale: false)
    }
}
