// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNet-B0 (Tan and Le, 2019): 4.0 million parameters without its top.
public let EfficientNetB0 = Base.efficientNets[0]

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNet-B1 (Tan and Le, 2019), for 240 × 240: 6.6 million parameters without its top.
public let EfficientNetB1 = Base.efficientNets[1]

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNet-B2 (Tan and Le, 2019), for 260 × 260: 7.8 million parameters without its top.
public let EfficientNetB2 = Base.efficientNets[2]

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNet-B3 (Tan and Le, 2019), for 300 × 300: 10.8 million parameters without its top.
public let EfficientNetB3 = Base.efficientNets[3]

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNet-B4 (Tan and Le, 2019), for 380 × 380: 17.7 million parameters without its top.
public let EfficientNetB4 = Base.efficientNets[4]

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNet-B5 (Tan and Le, 2019), for 456 × 456: 28.5 million parameters without its top.
public let EfficientNetB5 = Base.efficientNets[5]

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNet-B6 (Tan and Le, 2019), for 528 × 528: 41.0 million parameters without its top.
public let EfficientNetB6 = Base.efficientNets[6]

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNet-B7 (Tan and Le, 2019), for 600 × 600: 64.1 million parameters without its top.
public let EfficientNetB7 = Base.efficientNets[7]

extension BaseFamily {
    static let efficientNet = keras("EfficientNet")
}

extension Base {
    /// EfficientNet-B0 to B7: how much wider and deeper than B0 each is, and the size of its images (the paper's section 5.2).
    static let efficientNets = [
        efficientNet(
            0, size: 224, EfficientNetNetwork(width: 1.0, depth: 1.0, dropout: 0.2), (4_049_571, 5_330_571), 77.1,
            md5: ("50bc09e76180e00e4465e1a485ddc09d", "902e53a9f72be733fc0bcb005b3ebbac")),
        efficientNet(
            1, size: 240, EfficientNetNetwork(width: 1.0, depth: 1.1, dropout: 0.2), (6_575_239, 7_856_239), 79.1,
            md5: ("74c4e6b3e1f6a1eea24c589628592432", "1d254153d4ab51201f1646940f018540")),
        efficientNet(
            2, size: 260, EfficientNetNetwork(width: 1.1, depth: 1.2, dropout: 0.3), (7_768_569, 9_177_569), 80.1,
            md5: ("111f8e2ac8aa800a7a99e3239f7bfb39", "b15cce36ff4dcbd00b6dd88e7857a6ad")),
        efficientNet(
            3, size: 300, EfficientNetNetwork(width: 1.2, depth: 1.4, dropout: 0.3), (10_783_535, 12_320_535), 81.6,
            md5: ("af6d107764bb5b1abb91932881670226", "ffd1fdc53d0ce67064dc6a9c7960ede0")),
        efficientNet(
            4, size: 380, EfficientNetNetwork(width: 1.4, depth: 1.8, dropout: 0.4), (17_673_823, 19_466_823), 82.9,
            md5: ("ebc24e6d6c33eaebbd558eafbeedf1ba", "18c95ad55216b8f92d7e70b3a046e2fc")),
        efficientNet(
            5, size: 456, EfficientNetNetwork(width: 1.6, depth: 2.2, dropout: 0.4), (28_513_527, 30_562_527), 83.6,
            md5: ("38879255a25d3c92d5e44e04ae6cec6f", "ace28f2a6363774853a83a0b21b9421a")),
        efficientNet(
            6, size: 528, EfficientNetNetwork(width: 1.8, depth: 2.6, dropout: 0.5), (40_960_143, 43_265_143), 84.0,
            md5: ("9ecce42647a20130c1f39a5d4cb75743", "165f6e37dce68623721b423839de8be5")),
        efficientNet(
            7, size: 600, EfficientNetNetwork(width: 2.0, depth: 3.1, dropout: 0.5), (64_097_687, 66_658_687), 84.3,
            md5: ("cbcfe4450ddf6f3ad90b1b398090fe4a", "8c03f828fec3ef71311cd463b6759d99")),
    ]

    private static func efficientNet(
        _ number: Int, size: Int, _ network: EfficientNetNetwork, _ parameterCounts: (Int, Int),
        _ topOneAccuracy: Double, md5: (String, String)
    ) -> Base {
        let name = "efficientnetb\(number)"
        let folder = "https://storage.googleapis.com/keras-applications/"
        return Base(
            id: "efficientnet-b\(number)", title: "EfficientNetB\(number)", modelName: name, family: .efficientNet,
            defaultSize: size, minimumSize: 32,
            cuts: network.cuts, defaultCut: "top_activation", preprocessing: .torch,
            parameterCount: parameterCounts.0, parameterCountWithTop: parameterCounts.1,
            topOneAccuracy: topOneAccuracy,
            weights: PublishedFile("\(name)_notop.h5", in: folder, checksum: .md5(md5.0)),
            weightsWithTop: PublishedFile("\(name).h5", in: folder, checksum: .md5(md5.1)), network: network)
    }
}

/// EfficientNet: MobileNetV2's blocks, found by search, with squeeze-and-excite and swish; from B0 to B7 wider and deeper
/// by rule.
///
/// Features of B0 for an image of 224 × 224: (7, 7, 1280).
///
/// Sources: Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019,
/// arXiv:1905.11946, table 1; keras/src/applications/efficientnet.py for the layers' names.
struct EfficientNetNetwork: Network {
    /// What the table's channels are multiplied by.
    let width: Double
    /// What the table's repetitions are multiplied by.
    let depth: Double
    /// The share that the top drops in training.
    let dropout: Double
    /// Whether pixels are divided by the roots of ImageNet's deviations once more: see ``asTrained(by:)``.
    var dividesTwice = false

    /// Kernel, repetitions, channels, expansion and first stride.
    private static let table = [
        (3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1), (5, 4, 192, 6, 2),
        (3, 1, 320, 6, 1),
    ]
    /// The share of images for which the last block is dropped in training; the ones before it less.
    private static let dropRate = 0.2

    private let parts = EfficientNetParts(momentum: 0.99)

    init(width: Double, depth: Double, dropout: Double) {
        (self.width, self.depth, self.dropout) = (width, depth, dropout)
    }

    private func repetitions(_ number: Int) -> Int { Int((Double(number) * depth).rounded(.up)) }

    /// The ends of stages that halve the image, and the last activation.
    var cuts: [String] {
        let ends = [(3, 2), (4, 3), (5, 3), (6, 4)].map { stage, number in
            "block\(stage)\("abcdefghijklmnopq".dropFirst(repetitions(number) - 1).prefix(1))_add"
        }
        return ends + ["top_activation"]
    }

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try ZeroPadding2D(padding: .halving(image.shape, kernelSize: 3), name: "stem_conv_pad")(image)
        x = try parts.convolution(x, dividedWidth(32 * width), 3, strides: 2, padding: .valid, name: "stem")
        let blocks = Self.table.reduce(0) { $0 + repetitions($1.1) }
        var block = 0
        for (stage, row) in Self.table.enumerated() {
            for (number, letter) in "abcdefghijklmnopq".prefix(repetitions(row.1)).enumerated() {
                x = try bottleneck(
                    x, kernelSize: row.0, strides: number == 0 ? row.4 : 1, expansion: row.3,
                    channels: dividedWidth(Double(row.2) * width),
                    dropRate: Self.dropRate * Double(block) / Double(blocks), prefix: "block\(stage + 1)\(letter)_")
                block += 1
            }
        }
        return try parts.convolution(x, dividedWidth(1280 * width), 1, name: "top")
    }

    func classified(
        _ features: SymbolicTensor, classes: Int, activation: ActivationFunction
    ) throws(GraftError) -> SymbolicTensor {
        try EfficientNetParts.classified(features, classes: classes, activation: activation, dropout: dropout)
    }

    var preprocessingIsKerass: Bool { true }

    var preprocessingHasWeights: Bool { true }

    var poolingNames: (average: String, max: String)? { ("avg_pool", "max_pool") }

    /// ImageNet's statistics are variables, which published files fill; random weights have 0 and 1 there.
    func preprocessed(
        _ image: SymbolicTensor, by preprocessing: Preprocessing
    ) throws(GraftError) -> SymbolicTensor {
        guard preprocessing == .torch else { return try preprocessing.output(for: image) }
        let normalized = try image.through(Rescaling(1 / 255.0), Normalization(axes: [3]))
        guard dividesTwice else { return normalized }
        let roots = Preprocessing.imageNetDeviation.map { 1 / $0.squareRoot() }
        return try Rescaling(scale: .channels(roots), offset: 0)(normalized)
    }

    /// Published files hold ImageNet's deviations where a normalization has variances, and divides by their roots. Networks
    /// were trained on pixels divided by the deviations: one root is missing, and Keras divides once more where it loads the
    /// published weights. Graft does for every file with such variances, so that a copy of a published file, or weights
    /// fine-tuned from it, see the same pixels.
    ///
    /// Source: keras/src/applications/efficientnet.py; tensorflow/tensorflow#49930.
    func asTrained(by model: Model) -> (any Network)? {
        let stored = model.layers.lazy.compactMap { $0 as? Normalization }.first?.variable(named: "variance")?.value
        guard !dividesTwice, let variances = stored?.scalars, variances.count == 3 else { return nil }
        let areDeviations = zip(variances, Preprocessing.imageNetDeviation).allSatisfy { abs($0 - Float($1)) < 1e-4 }
        guard areDeviations else { return nil }
        var network = self
        network.dividesTwice = true
        return network
    }

    private func bottleneck(
        _ input: SymbolicTensor, kernelSize: Int, strides: Int, expansion: Int, channels: Int, dropRate: Double,
        prefix: String
    ) throws(GraftError) -> SymbolicTensor {
        let inputChannels = input.shape.last
        var x = input
        if expansion > 1 {
            x = try parts.convolution(x, expansion * inputChannels, 1, name: prefix + "expand")
        }
        if strides == 2 {
            x = try ZeroPadding2D(padding: .halving(x.shape, kernelSize: kernelSize), name: prefix + "dwconv_pad")(x)
        }
        x = try parts.depthwise(
            x, kernelSize, strides: strides, padding: strides == 2 ? .valid : .same, name: prefix + "dwconv",
            prefix: prefix)
        x = try parts.weighed(x, inputChannels: inputChannels, prefix: prefix)
        x = try parts.convolution(x, channels, 1, name: prefix + "project", activates: false)
        guard strides == 1, inputChannels == channels else { return x }
        return try parts.residual(x, input, dropRate: dropRate, prefix: prefix)
    }
}
