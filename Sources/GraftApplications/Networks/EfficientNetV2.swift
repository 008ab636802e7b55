// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNetV2-B0 (Tan and Le, 2021): 5.9 million parameters without its top.
public let EfficientNetV2B0 = Base.efficientNetsV2[0]

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNetV2-B1 (Tan and Le, 2021), for 240 × 240: 6.9 million parameters without its top.
public let EfficientNetV2B1 = Base.efficientNetsV2[1]

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNetV2-B2 (Tan and Le, 2021), for 260 × 260: 8.8 million parameters without its top.
public let EfficientNetV2B2 = Base.efficientNetsV2[2]

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNetV2-B3 (Tan and Le, 2021), for 300 × 300: 12.9 million parameters without its top.
public let EfficientNetV2B3 = Base.efficientNetsV2[3]

// swift-format-ignore: AlwaysUseLowerCamelCase
/// EfficientNetV2-S (Tan and Le, 2021), for 384 × 384: 20.3 million parameters without its top.
public let EfficientNetV2S = Base.efficientNetsV2[4]

extension BaseFamily {
    static let efficientNetV2 = keras("EfficientNetV2")
}

extension Base {
    /// EfficientNetV2 B0 to B3, which are scaled by rule as EfficientNet is, and S.
    static let efficientNetsV2 = [
        efficientNetV2(
            "b0", size: 224, EfficientNetV2Network(width: 1.0, depth: 1.0), (5_919_312, 7_200_312), 78.7,
            md5: ("893217f2bb855e2983157299931e43ff", "21ecbf6da12460d5c40bb2f29ceb2188")),
        efficientNetV2(
            "b1", size: 240, EfficientNetV2Network(width: 1.0, depth: 1.1), (6_931_124, 8_212_124), 79.8,
            md5: ("0e80663031ca32d657f9caa404b6ec37", "069f0534ff22adf035c89e2d9547a9dc")),
        efficientNetV2(
            "b2", size: 260, EfficientNetV2Network(width: 1.1, depth: 1.2), (8_769_374, 10_178_374), 80.5,
            md5: ("1dfe2e7a5d45b6632553a8961ea609eb", "424e49f28180edbde1e94797771950a7")),
        efficientNetV2(
            "b3", size: 300, EfficientNetV2Network(width: 1.2, depth: 1.4), (12_930_622, 14_467_622), 82.0,
            md5: ("f6abf7b5849ac99a89b50dd3fd532856", "1f1fc43bd98a6e4fd8fdfd551e02c7a0")),
        efficientNetV2(
            "s", size: 384, .small, (20_331_360, 21_612_360), 83.9,
            md5: ("af0682fb74e8c54910f2d4393339c070", "e1d88a8495beba45748fedd0cecbe016")),
    ]

    private static func efficientNetV2(
        _ letter: String, size: Int, _ network: EfficientNetV2Network, _ parameterCounts: (Int, Int),
        _ topOneAccuracy: Double, md5: (String, String)
    ) -> Base {
        let name = "efficientnetv2-\(letter)"
        let folder = PublishedFile.kerasFolder + "efficientnet_v2/"
        return Base(
            id: "efficientnet-v2-\(letter)", title: "EfficientNetV2\(letter.uppercased())", modelName: name,
            family: .efficientNetV2, defaultSize: size, minimumSize: 32, cuts: network.cuts,
            defaultCut: "top_activation", preprocessing: letter == "s" ? .signedUnit128 : .torch,
            parameterCount: parameterCounts.0, parameterCountWithTop: parameterCounts.1,
            topOneAccuracy: topOneAccuracy,
            weights: PublishedFile("\(name)_notop.h5", in: folder, checksum: .md5(md5.0)),
            weightsWithTop: PublishedFile("\(name).h5", in: folder, checksum: .md5(md5.1)), network: network)
    }
}

/// EfficientNetV2: EfficientNet with plain convolutions of 3 × 3 in its first stages, where processors are faster at them.
///
/// Features of B0 for an image of 224 × 224: (7, 7, 1280).
///
/// Sources: Tan and Le, EfficientNetV2: Smaller Models and Faster Training, ICML 2021, arXiv:2104.00298, table 4 for S;
/// keras/src/applications/efficientnet_v2.py for B0 to B3 and the layers' names.
struct EfficientNetV2Network: Network {
    /// What the table's channels are multiplied by.
    let width: Double
    /// What the table's repetitions are multiplied by.
    let depth: Double
    /// The channels of the first convolution.
    let stemChannels: Int
    /// Repetitions, channels, expansion and first stride; the first three stages are fused.
    let table: [(Int, Int, Int, Int)]

    /// One of B0 to B3.
    init(width: Double, depth: Double) {
        self.init(
            width: width, depth: depth, stemChannels: 32,
            table: [(1, 16, 1, 1), (2, 32, 4, 2), (2, 48, 4, 2), (3, 96, 4, 2), (5, 112, 6, 1), (8, 192, 6, 2)])
    }

    private init(width: Double, depth: Double, stemChannels: Int, table: [(Int, Int, Int, Int)]) {
        (self.width, self.depth, self.stemChannels, self.table) = (width, depth, stemChannels, table)
    }

    /// S.
    static let small = EfficientNetV2Network(
        width: 1, depth: 1, stemChannels: 24,
        table: [(2, 24, 1, 1), (4, 48, 4, 2), (4, 64, 4, 2), (6, 128, 4, 2), (9, 160, 6, 1), (15, 256, 6, 2)])

    /// The share of images for which the last block is dropped in training; the ones before it less.
    private static let dropRate = 0.2

    private let parts = EfficientNetParts(momentum: 0.9)

    private func channels(_ number: Int) -> Int {
        dividedWidth(Double(number) * width, keepsNineTenths: false)
    }

    private func letters(_ repetitions: Int) -> Substring {
        "abcdefghijklmnopq".prefix(Int((Double(repetitions) * depth).rounded(.up)))
    }

    /// The ends of the later stages, and the last activation.
    var cuts: [String] {
        (2..<6).map { "block\($0 + 1)\(letters(table[$0].0).suffix(1))_add" } + ["top_activation"]
    }

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try parts.convolution(image, channels(stemChannels), 3, strides: 2, name: "stem")
        // Keras counts the blocks of the table, not those that there are.
        let blocks = table.reduce(0) { $0 + $1.0 }
        var block = 0
        for (stage, row) in table.enumerated() {
            for (number, letter) in letters(row.0).enumerated() {
                let (input, prefix, strides) = (x, "block\(stage + 1)\(letter)_", number == 0 ? row.3 : 1)
                let make = stage < 3 ? fused : bottleneck
                x = try make(x, strides, row.2, channels(row.1), prefix)
                if strides == 1, input.shape == x.shape {
                    let dropRate = Self.dropRate * Double(block) / Double(blocks)
                    x = try parts.residual(x, input, dropRate: dropRate, prefix: prefix)
                }
                block += 1
            }
        }
        return try parts.convolution(x, channels(1280), 1, name: "top")
    }

    func classified(
        _ features: SymbolicTensor, classes: Int, activation: ActivationFunction
    ) throws(GraftError) -> SymbolicTensor {
        try EfficientNetParts.classified(features, classes: classes, activation: activation, dropout: 0.2)
    }

    var preprocessingIsKerass: Bool { true }

    var poolingNames: (average: String, max: String)? { ("avg_pool", "max_pool") }

    /// Widens by a convolution of 3 × 3 and narrows; where it does not widen, one convolution of 3 × 3.
    private func fused(
        _ input: SymbolicTensor, strides: Int, expansion: Int, channels: Int, prefix: String
    ) throws(GraftError) -> SymbolicTensor {
        guard expansion > 1 else {
            return try parts.convolution(input, channels, 3, strides: strides, name: prefix + "project")
        }
        let wide = try parts.convolution(
            input, expansion * input.shape.last, 3, strides: strides, name: prefix + "expand")
        return try parts.convolution(wide, channels, 1, name: prefix + "project", activates: false)
    }

    /// Widens, filters each channel, weighs the channels and narrows.
    private func bottleneck(
        _ input: SymbolicTensor, strides: Int, expansion: Int, channels: Int, prefix: String
    ) throws(GraftError) -> SymbolicTensor {
        let inputChannels = input.shape.last
        var x = try parts.convolution(input, expansion * inputChannels, 1, name: prefix + "expand")
        x = try parts.depthwise(x, 3, strides: strides, name: prefix + "dwconv2", prefix: prefix)
        x = try parts.weighed(x, inputChannels: inputChannels, prefix: prefix)
        return try parts.convolution(x, channels, 1, name: prefix + "project", activates: false)
    }
}
