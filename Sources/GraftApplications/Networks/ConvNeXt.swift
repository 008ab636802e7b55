// swift-format-ignore: AlwaysUseLowerCamelCase
/// ConvNeXt-Tiny (Liu et al., 2022): 27.8 million parameters without its top.
public let ConvNeXtTiny = Base.convNeXtTiny

// swift-format-ignore: AlwaysUseLowerCamelCase
/// ConvNeXt-Small (Liu et al., 2022): 49.5 million parameters without its top.
public let ConvNeXtSmall = Base.convNeXtSmall

// swift-format-ignore: AlwaysUseLowerCamelCase
/// ConvNeXt-Base (Liu et al., 2022): 87.6 million parameters without its top.
public let ConvNeXtBase = Base.convNeXtBase

extension BaseFamily {
    static let convNeXt = keras("ConvNeXt")
}

extension Base {
    /// ConvNeXt-Tiny.
    public static let convNeXtTiny = convNeXt(
        "Tiny", blocks: [3, 3, 9, 3], width: 96, (27_820_128, 28_589_128), topOneAccuracy: 81.3,
        sha256: (
            "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
            "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff"
        ))

    /// ConvNeXt-Small.
    public static let convNeXtSmall = convNeXt(
        "Small", blocks: [3, 3, 27, 3], width: 96, (49_454_688, 50_223_688), topOneAccuracy: 82.3,
        sha256: (
            "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
            "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c"
        ))

    /// ConvNeXt-Base.
    public static let convNeXtBase = convNeXt(
        "Base", blocks: [3, 3, 27, 3], width: 128, (87_566_464, 88_591_464), topOneAccuracy: 85.3,
        sha256: (
            "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
            "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6"
        ))

    private static func convNeXt(
        _ size: String, blocks: [Int], width: Int, _ parameterCounts: (Int, Int), topOneAccuracy: Double,
        sha256: (String, String)
    ) -> Base {
        let name = "convnext_\(size.lowercased())"
        let folder = PublishedFile.kerasFolder + "convnext/"
        let network = ConvNeXtNetwork(name: name, blocks: blocks, width: width)
        return Base(
            id: "convnext-\(size.lowercased())", title: "ConvNeXt\(size)", modelName: name, family: .convNeXt,
            defaultSize: 224, minimumSize: 32, cuts: network.cuts, defaultCut: network.lastLayer,
            preprocessing: .torch, parameterCount: parameterCounts.0, parameterCountWithTop: parameterCounts.1,
            topOneAccuracy: topOneAccuracy,
            weights: PublishedFile("\(name)_notop.h5", in: folder, checksum: .sha256(sha256.0)),
            weightsWithTop: PublishedFile("\(name).h5", in: folder, checksum: .sha256(sha256.1)), network: network)
    }
}

/// ConvNeXt, for 224 × 224 images: a ResNet made after vision transformers; blocks of a 7 × 7 convolution of each channel by
/// itself and two dense layers over the channels.
///
/// Features of Tiny for an image of 224 × 224: (7, 7, 768).
///
/// Sources: Liu et al., A ConvNet for the 2020s, CVPR 2022, arXiv:2201.03545, table 9; keras/src/applications/convnext.py
/// for the layers' names.
struct ConvNeXtNetwork: Network {
    /// What the layers' names begin with.
    let name: String
    /// The blocks of each stage.
    let blocks: [Int]
    /// The channels of the first stage; each further one has twice as many.
    let width: Int

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = image
        for (stage, count) in blocks.enumerated() {
            x = try reduction(before: stage)(x)
            for block in 0..<count { x = try residual(x, name: "\(name)_stage_\(stage)_block_\(block)") }
        }
        return x
    }

    func finished(_ features: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try LayerNormalization(epsilon: Self.epsilon)(features)
    }

    func classified(
        _ features: SymbolicTensor, classes: Int, activation: ActivationFunction
    ) throws(GraftError) -> SymbolicTensor {
        try features.through(
            GlobalAveragePooling2D(name: "\(name)_head_gap"), normalization("head_layernorm"),
            Dense(classes, activation: activation, name: "\(name)_head_dense"))
    }

    var preprocessingIsKerass: Bool { true }

    /// One layer for pixels from 0 to 255, as Keras has it.
    func preprocessed(
        _ image: SymbolicTensor, by preprocessing: Preprocessing
    ) throws(GraftError) -> SymbolicTensor {
        guard preprocessing == .torch, image.shape.last == 3 else { return try preprocessing.output(for: image) }
        let deviations = Preprocessing.imageNetDeviation.map { $0 * 255 }
        return try Normalization(
            mean: .channels(Preprocessing.imageNetMean.map { $0 * 255 }),
            variance: .channels(deviations.map { $0 * $0 }), name: "\(name)_prestem_normalization")(image)
    }

    /// The ends of the later stages.
    var cuts: [String] { [sum(blocks.prefix(2)), sum(blocks.prefix(3)), lastLayer] }

    /// The normalization behind the last stage.
    var lastLayer: String { "layer_normalization" }

    /// The sum that so many blocks end with.
    private func sum(_ blocks: ArraySlice<Int>) -> String { "add_\(blocks.reduce(0, +) - 1)" }

    private static let epsilon = 1e-6

    /// A quarter or half of the rows and columns: a model in the model, as in Keras.
    private func reduction(before stage: Int) throws(GraftError) -> Sequential {
        let channels = width << stage
        guard stage > 0 else {
            return try Sequential(
                [
                    Conv2D(channels, kernelSize: 4, strides: 4, name: "\(name)_stem_conv"),
                    normalization("stem_layernorm"),
                ], name: "\(name)_stem")
        }
        return try Sequential(
            [
                normalization("downsampling_layernorm_\(stage - 1)"),
                Conv2D(channels, kernelSize: 2, strides: 2, name: "\(name)_downsampling_conv_\(stage - 1)"),
            ], name: "\(name)_downsampling_block_\(stage - 1)")
    }

    private func residual(_ x: SymbolicTensor, name: String) throws(GraftError) -> SymbolicTensor {
        let channels = x.shape.last
        let residue = try x.through(
            Conv2D(channels, kernelSize: 7, padding: .same, groups: channels, name: "\(name)_depthwise_conv"),
            LayerNormalization(epsilon: Self.epsilon, name: "\(name)_layernorm"),
            Dense(4 * channels, name: "\(name)_pointwise_conv_1"), Activation(.gelu, name: "\(name)_gelu"),
            Dense(channels, name: "\(name)_pointwise_conv_2"),
            LayerScale(1e-6, projectionDim: channels, name: "\(name)_layer_scale"),
            // Keras has StochasticDepth here where a network drops blocks in training; these three drop none.
            Activation(.linear, name: "\(name)_identity"))
        return try Add()([x, residue])
    }

    private func normalization(_ part: String) -> LayerNormalization {
        LayerNormalization(epsilon: Self.epsilon, name: "\(name)_\(part)")
    }
}
