// swift-format-ignore: AlwaysUseLowerCamelCase
/// Inception v3 (Szegedy et al., 2016): 21.8 million parameters without its top.
///
/// Images are numbers from 0 to 255, red, green, blue: the model begins with its own preprocessing, `x / 127.5 − 1`.
/// They are of 299 × 299 by default, and at least of 75 × 75. ``BaseOptions`` says what the other
/// arguments are, which are Keras's; `includePreprocessing: false` is for images that were preprocessed before.
///
/// - Throws: `GraftError` where the arguments do not fit, or the weights cannot be had or do not fit.
public func InceptionV3(
    weights: Weights = .none, includeTop: Bool = true, inputShape: Shape? = nil, pooling: GlobalPooling = .none,
    classes: Int = 1000, classifierActivation: ActivationFunction = .softmax, includePreprocessing: Bool = true
) throws(GraftError) -> Model {
    try Base.inceptionV3.model(
        BaseOptions(
            weights: weights, includeTop: includeTop, inputShape: inputShape, pooling: pooling, classes: classes,
            classifierActivation: classifierActivation, preprocessing: includePreprocessing ? nil : Preprocessing.none))
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
