// swift-format-ignore: AlwaysUseLowerCamelCase
/// Pocket: Graft's own small network, whose weights are part of the library: no download, and quick on any processor.
///
/// Images are numbers from 0 to 255, red, green, blue: the model begins with its own preprocessing, `x / 127.5 − 1`.
/// They are of 144 × 144 by default, and at least of 32 × 32. ``BaseOptions`` says what the other
/// arguments are; it has no top of its own.
///
/// What it is good for, and not, what it was made of, and how: `Documentation/Pocket.md`.
///
/// - Throws: `GraftError` where the arguments do not fit, or the weights cannot be had or do not fit.
public func Pocket(
    weights: Weights = .builtIn, inputShape: Shape? = nil, includePreprocessing: Bool = true
) throws(GraftError) -> Model {
    try Base.pocket.model(
        BaseOptions(
            weights: weights, includeTop: false, inputShape: inputShape,
            preprocessing: includePreprocessing ? nil : Preprocessing.none))
}

extension BaseFamily {
    static let pocket = BaseFamily("Pocket", license: "Graft's own", source: "Documentation/Pocket.md")
}

extension Base {
    /// Graft's own small network, whose weights are part of the library.
    public static let pocket = Base(
        id: "pocket", title: "Pocket", modelName: "pocket", family: .pocket, defaultSize: 144, minimumSize: 32,
        cuts: ["stage3_block1_out", "stage4_block1_out", "top_relu", "features"], defaultCut: "features",
        preprocessing: .signedUnit, parameterCount: 2_166_888, parameterCountWithTop: nil, weights: nil,
        weightsWithTop: nil, builtIn: BuiltInWeights.pocket,
        featureGroups: PocketNetwork.featureGroups, network: PocketNetwork())
}

/// Pocket, for 144 × 144 images: plain 3 × 3 convolutions, which processors are fastest at. Each stage halves rows and
/// columns and has a pair of convolutions that is added to its input (He et al., arXiv:1512.03385); a last 1 × 1 convolution
/// makes wide features.
///
/// Features, whatever the image's size: (1216), the means over all places of what the last three stages and the last
/// convolution put out. Late layers know things, early ones textures: which of them a task needs is the head's to find out
/// (Evci et al., Head2Toe, arXiv:2201.03529).
struct PocketNetwork: Network {
    /// The channels of each stage.
    private static let stages = [32, 64, 128, 256]
    /// The channels of the last convolution.
    private static let width = 768
    /// How many features come from each of the layers that give some.
    static let featureGroups = Array(stages.dropFirst()) + [width]

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var means: [SymbolicTensor] = []
        var x = try image.through(convolution(24, 3, strides: 2, name: "stem"))
        for (number, channels) in Self.stages.enumerated() {
            let stage = "stage\(number + 1)"
            x = try x.through(convolution(channels, 3, strides: 2, name: stage))
            let pair = try x.through(
                convolution(channels, 3, name: stage + "_block1_1"),
                convolution(channels, 3, activation: .linear, name: stage + "_block1_2"))
            x = try Add(name: stage + "_block1_add")([x, pair])
            x = try Activation(.relu, name: stage + "_block1_out")(x)
            if number > 0 { means.append(try GlobalAveragePooling2D(name: stage + "_mean")(x)) }
        }
        x = try x.through(convolution(Self.width, 1, name: "top"))
        means.append(try GlobalAveragePooling2D(name: "top_mean")(x))
        return try Concatenate(name: "features")(means)
    }

    func classifierInput(of features: SymbolicTensor) throws(GraftError) -> SymbolicTensor { features }

    var featuresArePooled: Bool { true }

    private func convolution(
        _ filters: Int, _ size: Int, strides: Int = 1, activation: ActivationFunction = .relu, name: String
    ) -> ConvolutionBlock {
        ConvolutionBlock(
            filters: filters, kernelSize: Size2D(size), strides: Size2D(strides), activation: activation,
            names: (name + "_conv", name + "_bn", name + "_relu"))
    }
}
