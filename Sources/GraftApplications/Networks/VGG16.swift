// swift-format-ignore: AlwaysUseLowerCamelCase
/// VGG16 (Simonyan and Zisserman, 2015): 14.7 million parameters without its top.
///
/// Images are numbers from 0 to 255, red, green, blue: the model begins with its own preprocessing, which turns the
/// channels round and takes ImageNet's means from them.
/// They are of 224 × 224 by default, and at least of 32 × 32. ``BaseOptions`` says what the other
/// arguments are, which are Keras's; `includePreprocessing: false` is for images that were preprocessed before.
///
/// - Throws: `GraftError` where the arguments do not fit, or the weights cannot be had or do not fit.
public func VGG16(
    weights: Weights = .none, includeTop: Bool = true, inputShape: Shape? = nil, pooling: GlobalPooling = .none,
    classes: Int = 1000, classifierActivation: ActivationFunction = .softmax, includePreprocessing: Bool = true
) throws(GraftError) -> Model {
    try Base.vgg16.model(
        BaseOptions(
            weights: weights, includeTop: includeTop, inputShape: inputShape, pooling: pooling, classes: classes,
            classifierActivation: classifierActivation, preprocessing: includePreprocessing ? nil : Preprocessing.none))
}

/// VGG16, for 224 × 224 images: thirteen convolutions of 3 × 3 in five blocks, each block half as wide as the one before,
/// and a top of three dense layers.
///
/// Features for an image of 224 × 224: (7, 7, 512).
///
/// Sources: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
/// arXiv:1409.1556, table 1, column D; keras/src/applications/vgg16.py for the layers' names.
struct VGG16Network: Network {
    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = image
        for (block, (convolutions, filters)) in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)].enumerated() {
            for convolution in 1...convolutions {
                x = try Conv2D(
                    filters, kernelSize: 3, padding: .same, activation: .relu,
                    name: "block\(block + 1)_conv\(convolution)")(x)
            }
            x = try MaxPooling2D(poolSize: 2, strides: 2, name: "block\(block + 1)_pool")(x)
        }
        return x
    }

    func classifierInput(of features: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try features.through(
            Flatten(name: "flatten"),
            Dense(4096, activation: .relu, name: "fc1"),
            Dense(4096, activation: .relu, name: "fc2"))
    }

    var topNeedsDefaultSize: Bool { true }
}
