// swift-format-ignore: AlwaysUseLowerCamelCase
/// Inception v3 (Szegedy et al., 2016): 21.8 million parameters without its top.
public let InceptionV3 = Base.inceptionV3

extension BaseFamily {
    static let inception = keras("Inception", license: "Apache 2.0")
}

extension Base {
    /// Inception v3.
    public static let inceptionV3 = Base(
        id: "inception-v3", title: "InceptionV3", modelName: "inception_v3", family: .inception, defaultSize: 299,
        minimumSize: 75, cuts: ["mixed3", "mixed5", "mixed7", "mixed8", "mixed10"], defaultCut: "mixed7",
        preprocessing: .signedUnit, parameterCount: 21_802_784, parameterCountWithTop: 23_851_784, topOneAccuracy: 77.9,
        weights: .keras("inception_v3", "inception_v3", "_notop", "bcbd6486424b2319ff4ef7d526e38f63"),
        weightsWithTop: .keras("inception_v3", "inception_v3", "", "9a0d58056eeedaa3f26cb7ebd46da564"),
        network: InceptionV3Network())
}

/// Inception v3, for 299 × 299 images: three convolutional stages, then eleven modules that look at their input through
/// windows of several sizes at once and join what they see.
///
/// Features for an image of 299 × 299: (8, 8, 2048); of 150 × 150: (3, 3, 2048), and (7, 7, 768) at `mixed7`.
///
/// Sources: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016, arXiv:1512.00567,
/// table 1; keras/src/applications/inception_v3.py for the layers' order and names.
struct InceptionV3Network: Network {
    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try stem(of: image)  // 35 × 35 × 192
        for (module, pooled) in [32, 64, 64].enumerated() {
            x = try joined(  // 35 × 35 × 256, 288, 288
                "mixed\(module)",
                x.through(convolution(64, 1)),
                x.through(convolution(48, 1), convolution(64, 5)),
                x.through(convolution(64, 1), convolution(96, 3), convolution(96, 3)),
                x.through(averagePool(), convolution(pooled, 1)))
        }
        x = try joined(  // 17 × 17 × 768
            "mixed3",
            x.through(convolution(384, 3, strides: 2, padding: .valid)),
            x.through(convolution(64, 1), convolution(96, 3), convolution(96, 3, strides: 2, padding: .valid)),
            x.through(MaxPooling2D(poolSize: 3, strides: 2)))
        for (module, inner) in [128, 160, 160, 192].enumerated() {
            x = try joined(  // 17 × 17 × 768
                "mixed\(4 + module)",
                x.through(convolution(192, 1)),
                x.through(convolution(inner, 1), convolution(inner, 1, 7), convolution(192, 7, 1)),
                x.through(
                    convolution(inner, 1), convolution(inner, 7, 1), convolution(inner, 1, 7),
                    convolution(inner, 7, 1), convolution(192, 1, 7)),
                x.through(averagePool(), convolution(192, 1)))
        }
        x = try joined(  // 8 × 8 × 1280
            "mixed8",
            x.through(convolution(192, 1), convolution(320, 3, strides: 2, padding: .valid)),
            x.through(
                convolution(192, 1), convolution(192, 1, 7), convolution(192, 7, 1),
                convolution(192, 3, strides: 2, padding: .valid)),
            x.through(MaxPooling2D(poolSize: 3, strides: 2)))
        for module in 0..<2 {
            x = try joined(  // 8 × 8 × 2048
                "mixed\(9 + module)",
                x.through(convolution(320, 1)),
                split(x.through(convolution(384, 1)), name: "mixed9_\(module)"),
                split(x.through(convolution(448, 1), convolution(384, 3)), name: nil),
                x.through(averagePool(), convolution(192, 1)))
        }
        return x
    }

    /// What comes before the modules: 299 × 299 to 35 × 35.
    private func stem(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try image.through(
            convolution(32, 3, strides: 2, padding: .valid), convolution(32, 3, padding: .valid), convolution(64, 3),
            MaxPooling2D(poolSize: 3, strides: 2),
            convolution(80, 1, padding: .valid), convolution(192, 3, padding: .valid),
            MaxPooling2D(poolSize: 3, strides: 2))
    }

    /// A row of three and a column of three next to each other, in place of a window of 3 × 3.
    private func split(_ x: SymbolicTensor, name: String?) throws(GraftError) -> SymbolicTensor {
        try joined(name, x.through(convolution(384, 1, 3)), x.through(convolution(384, 3, 1)))
    }

    private func joined(_ name: String?, _ branches: SymbolicTensor...) throws(GraftError) -> SymbolicTensor {
        try Concatenate(name: name)(branches)
    }

    private func averagePool() -> AveragePooling2D { AveragePooling2D(poolSize: 3, strides: 1, padding: .same) }

    /// Batch normalization without scale after each convolution, which has no bias.
    private func convolution(
        _ filters: Int, _ height: Int, _ width: Int? = nil, strides: Int = 1, padding: Padding = .same
    ) -> ConvolutionBlock {
        ConvolutionBlock(
            filters: filters, kernelSize: Size2D(height, width ?? height), strides: Size2D(strides), padding: padding,
            scale: false)
    }
}
