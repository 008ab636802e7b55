extension Base {
    /// The bases that Graft knows, in alphabetical order of their families.
    public static let all: [Base] =
        [
            convNeXtTiny, convNeXtSmall, convNeXtBase, deiTTi16, deiTS16, deiTB16, denseNet121, denseNet169,
            denseNet201,
            dinov2S14, dinov2B14,
        ] + efficientNets
        + [efficientNetLite0] + efficientNetsV2 + [inceptionV3, inceptionResNetV2, mobileNet, mobileNetV2]
        + mobileNetV2Widths.filter { $0.id != mobileNetV2.id }
        + [
            mobileNetV3Small, mobileNetV3Large, nasNetMobile, pocket, resNet18, resNet34, resNet50, resNet101,
            resNet152,
        ]
        + [resNet50V2, resNet101V2, resNet152V2, squeezeNet, vgg16, vgg19, viTTi16, viTS16, viTB16, xception]
}

extension PublishedFile {
    /// Where Keras publishes the weights of most of its networks, each in a folder of its own.
    static let kerasFolder = "https://storage.googleapis.com/tensorflow/keras-applications/"

    /// A weight file with the name that most of Keras's have; the checksums are those of its source, keras/src/applications.
    static func keras(_ folder: String, _ model: String, _ suffix: String, _ md5: String?) -> PublishedFile {
        PublishedFile(
            "\(model)_weights_tf_dim_ordering_tf_kernels\(suffix).h5", in: "\(kerasFolder)\(folder)/",
            checksum: md5.map { .md5($0) })
    }
}
