// swift-format-ignore: AlwaysUseLowerCamelCase
/// VGG16 (Simonyan and Zisserman, 2015): 14.7 million parameters without its top.
public let VGG16 = Base.vgg16

// swift-format-ignore: AlwaysUseLowerCamelCase
/// VGG19 (Simonyan and Zisserman, 2015): 20.0 million parameters without its top; three convolutions more than VGG16.
public let VGG19 = Base.vgg19

extension BaseFamily {
    static let vgg = keras("VGG", license: "CC BY, ported from Oxford's")
}

extension Base {
    /// VGG16.
    public static let vgg16 = Base(
        id: "vgg16", title: "VGG16", modelName: "vgg16", family: .vgg, defaultSize: 224, minimumSize: 32,
        cuts: ["block3_pool", "block4_pool", "block5_pool"], defaultCut: "block5_pool", preprocessing: .caffe,
        parameterCount: 14_714_688, parameterCountWithTop: 138_357_544, topOneAccuracy: 71.3,
        weights: .keras("vgg16", "vgg16", "_notop", "6d6bbae143d832006294945121d1f1fc"),
        weightsWithTop: .keras("vgg16", "vgg16", "", "64373286793e3c8b2b4e3219cbf3544b"),
        network: VGGNetwork(convolutions: [2, 2, 3, 3, 3]))

    /// VGG19.
    public static let vgg19 = Base(
        id: "vgg19", title: "VGG19", modelName: "vgg19", family: .vgg, defaultSize: 224, minimumSize: 32,
        cuts: ["block3_pool", "block4_pool", "block5_pool"], defaultCut: "block5_pool", preprocessing: .caffe,
        parameterCount: 20_024_384, parameterCountWithTop: 143_667_240, topOneAccuracy: 71.3,
        weights: .keras("vgg19", "vgg19", "_notop", "253f8cb515780f3b799900260a226db6"),
        weightsWithTop: .keras("vgg19", "vgg19", "", "cbe5617147190e668d6c5d5026f83318"),
        network: VGGNetwork(convolutions: [2, 2, 4, 4, 4]))
}

/// VGG, for 224 × 224 images: convolutions of 3 × 3 in five blocks, each block half as wide as the one before, and a top of
/// three dense layers.
///
/// Features for an image of 224 × 224: (7, 7, 512).
///
/// Sources: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
/// arXiv:1409.1556, table 1, columns D and E; keras/src/applications/vgg16.py, vgg19.py for the layers' names.
struct VGGNetwork: Network {
    /// The convolutions of each block.
    let convolutions: [Int]
    private static let filters = [64, 128, 256, 512, 512]

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = image
        for (block, (convolutions, filters)) in zip(convolutions, Self.filters).enumerated() {
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
