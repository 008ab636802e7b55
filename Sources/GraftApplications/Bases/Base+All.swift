extension Base {
    /// The bases that Graft knows, in alphabetical order.
    public static let all: [Base] = [
        efficientNetLite0, inceptionV3, mobileNetV2, pocket, resNet50, vgg16,
    ]

    /// EfficientNet-Lite0.
    ///
    /// No weights are published in a form that Graft reads; see ``EfficientNetLite0(weights:includeTop:inputShape:pooling:classes:classifierActivation:includePreprocessing:)``.
    public static let efficientNetLite0 = Base(
        id: "efficientnet-lite0", title: "EfficientNetLite0", modelName: "efficientnetlite0", defaultSize: 224,
        minimumSize: 32, cuts: ["block3b_add", "block4c_add", "block5c_add", "block6d_add", "top_activation"],
        defaultCut: "top_activation", preprocessing: .lite, parameterCount: 3_413_024,
        parameterCountWithTop: 4_694_024, weights: nil, weightsWithTop: nil, network: EfficientNetLite0Network())

    /// Inception v3.
    public static let inceptionV3 = Base(
        id: "inception-v3", title: "InceptionV3", modelName: "inception_v3", defaultSize: 299, minimumSize: 75,
        cuts: ["mixed3", "mixed5", "mixed7", "mixed8", "mixed10"], defaultCut: "mixed7", preprocessing: .signedUnit,
        parameterCount: 21_802_784, parameterCountWithTop: 23_851_784,
        weights: kerasFile("inception_v3", "inception_v3", "_notop", "bcbd6486424b2319ff4ef7d526e38f63"),
        weightsWithTop: kerasFile("inception_v3", "inception_v3", "", "9a0d58056eeedaa3f26cb7ebd46da564"),
        network: InceptionV3Network())

    /// MobileNetV2.
    ///
    /// Keras publishes no checksums for its weights.
    public static let mobileNetV2 = Base(
        id: "mobilenet-v2", title: "MobileNetV2", modelName: "mobilenetv2_1.00", defaultSize: 224, minimumSize: 32,
        cuts: ["block_6_project_BN", "block_13_project_BN", "block_16_project_BN", "out_relu"], defaultCut: "out_relu",
        preprocessing: .signedUnit, parameterCount: 2_257_984, parameterCountWithTop: 3_538_984,
        weights: kerasFile("mobilenet_v2", "mobilenet_v2", "_1.0_224_no_top", nil),
        weightsWithTop: kerasFile("mobilenet_v2", "mobilenet_v2", "_1.0_224", nil),
        network: MobileNetV2Network())

    /// Graft's own small network, whose weights are part of the library.
    public static let pocket = Base(
        id: "pocket", title: "Pocket", modelName: "pocket", defaultSize: 144, minimumSize: 32,
        cuts: ["stage3_block1_out", "stage4_block1_out", "top_relu", "features"], defaultCut: "features",
        preprocessing: .signedUnit, parameterCount: 2_166_888, parameterCountWithTop: nil, weights: nil,
        weightsWithTop: nil, builtIn: BuiltInWeights.pocket,
        featureGroups: PocketNetwork.featureGroups, network: PocketNetwork())

    /// ResNet-50.
    public static let resNet50 = Base(
        id: "resnet50", title: "ResNet50", modelName: "resnet50", defaultSize: 224, minimumSize: 32,
        cuts: ["conv3_block4_out", "conv4_block6_out", "conv5_block3_out"], defaultCut: "conv5_block3_out",
        preprocessing: .caffe, parameterCount: 23_587_712, parameterCountWithTop: 25_636_712,
        weights: kerasFile("resnet", "resnet50", "_notop", "4d473c1dd8becc155b73f8504c6f6626"),
        weightsWithTop: kerasFile("resnet", "resnet50", "", "2cb95161c43110f7111970584f804107"),
        network: ResNet50Network())

    /// VGG16.
    public static let vgg16 = Base(
        id: "vgg16", title: "VGG16", modelName: "vgg16", defaultSize: 224, minimumSize: 32,
        cuts: ["block3_pool", "block4_pool", "block5_pool"], defaultCut: "block5_pool", preprocessing: .caffe,
        parameterCount: 14_714_688, parameterCountWithTop: 138_357_544,
        weights: kerasFile("vgg16", "vgg16", "_notop", "6d6bbae143d832006294945121d1f1fc"),
        weightsWithTop: kerasFile("vgg16", "vgg16", "", "64373286793e3c8b2b4e3219cbf3544b"),
        network: VGG16Network())

    /// A weight file as Keras publishes it; the checksums are those of its source, keras/src/applications.
    private static func kerasFile(_ folder: String, _ model: String, _ suffix: String, _ md5: String?) -> PublishedFile
    {
        PublishedFile(
            "\(model)_weights_tf_dim_ordering_tf_kernels\(suffix).h5",
            in: "https://storage.googleapis.com/tensorflow/keras-applications/\(folder)/",
            checksum: md5.map { .md5($0) })
    }
}
