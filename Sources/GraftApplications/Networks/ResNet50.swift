// swift-format-ignore: AlwaysUseLowerCamelCase
/// ResNet-50 (He et al., 2016): 23.6 million parameters without its top.
///
/// Images are numbers from 0 to 255, red, green, blue: the model begins with its own preprocessing, which turns the
/// channels round and takes ImageNet's means from them.
/// They are of 224 × 224 by default, and at least of 32 × 32. ``BaseOptions`` says what the other
/// arguments are, which are Keras's; `includePreprocessing: false` is for images that were preprocessed before.
///
/// - Throws: `GraftError` where the arguments do not fit, or the weights cannot be had or do not fit.
public func ResNet50(
    weights: Weights = .none, includeTop: Bool = true, inputShape: Shape? = nil, pooling: GlobalPooling = .none,
    classes: Int = 1000, classifierActivation: ActivationFunction = .softmax, includePreprocessing: Bool = true
) throws(GraftError) -> Model {
    try Base.resNet50.model(
        BaseOptions(
            weights: weights, includeTop: includeTop, inputShape: inputShape, pooling: pooling, classes: classes,
            classifierActivation: classifierActivation, preprocessing: includePreprocessing ? nil : Preprocessing.none))
}

/// ResNet-50, for 224 × 224 images: four stages of residual blocks, each of which adds to its input what three
/// convolutions make of it.
///
/// Features for an image of 224 × 224: (7, 7, 2048).
///
/// Sources: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385, table 1, column
/// 50-layer; keras/src/applications/resnet.py for the layers' names.
struct ResNet50Network: Network {
    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try image.through(  // 56 × 56 × 64
            ZeroPadding2D(padding: 3, name: "conv1_pad"),
            convolution(64, 7, strides: 2, name: "conv1"),
            ZeroPadding2D(padding: 1, name: "pool1_pad"),
            MaxPooling2D(poolSize: 3, strides: 2, name: "pool1_pool"))
        for (stage, (blocks, filters)) in [(3, 64), (4, 128), (6, 256), (3, 512)].enumerated() {
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
