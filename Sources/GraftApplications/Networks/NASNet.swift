// swift-format-ignore: AlwaysUseLowerCamelCase
/// NASNet-A Mobile (Zoph et al., 2018): 4.3 million parameters without its top.
public let NASNetMobile = Base.nasNetMobile

extension BaseFamily {
    static let nasNet = keras("NASNet", license: "Apache 2.0")
}

extension Base {
    /// NASNet-A Mobile.
    public static let nasNetMobile = Base(
        id: "nasnet-mobile", title: "NASNetMobile", modelName: "nasnet_mobile", family: .nasNet, defaultSize: 224,
        minimumSize: 32, cuts: ["normal_concat_3", "normal_concat_8", NASNetMobileNetwork.lastLayer],
        defaultCut: NASNetMobileNetwork.lastLayer, preprocessing: .signedUnit, parameterCount: 4_269_716,
        parameterCountWithTop: 5_326_716, topOneAccuracy: 74.4,
        weights: PublishedFile(
            "nasnet_mobile_no_top.h5", in: PublishedFile.kerasFolder + "nasnet/",
            publishedAs: "NASNet-mobile-no-top.h5", checksum: .md5("1ed92395b5b598bdda52abe5c0dbfd63")),
        weightsWithTop: PublishedFile(
            "nasnet_mobile.h5", in: PublishedFile.kerasFolder + "nasnet/", publishedAs: "NASNet-mobile.h5",
            checksum: .md5("020fb642bf7360b370c678b08e0adf61")),
        network: NASNetMobileNetwork())
}

/// NASNet-A (4 @ 1056), for 224 × 224 images: cells found by search, each of which joins five sums of two views of its input and
/// of the input before that.
///
/// Features for an image of 224 × 224: (7, 7, 1056).
///
/// Sources: Zoph et al., Learning Transferable Architectures for Scalable Image Recognition, CVPR 2018, arXiv:1707.07012,
/// figures 2 and 4; keras/src/applications/nasnet.py for the layers' names.
struct NASNetMobileNetwork: Network {
    /// The channels of each view in the first row of normal cells.
    private static let filters = 44
    /// Normal cells in a row.
    private static let repetitions = 4
    /// The last activation: those before it have numbers from 0.
    static let lastLayer = "activation_187"

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        let filters = Self.filters
        let stem = try image.through(
            NASNetLayers.convolution(32, 3, strides: 2, padding: .valid, names: ("stem_conv1", "stem_bn1")))
        var cells = NASNetCells(x: stem)
        try cells.reduce(filters: filters / 4, id: "stem_1")
        try cells.reduce(filters: filters / 2, id: "stem_2")
        for row in 0..<3 {
            let first = row * Self.repetitions
            if row > 0 { try cells.reduce(filters: filters << row, id: "reduce_\(first)") }
            for cell in 0..<Self.repetitions {
                try cells.keep(filters: filters << row, id: "\(first + cell + (row > 0 ? 1 : 0))")
            }
        }
        return try Activation(.relu)(cells.x)
    }

    func classifierInput(of features: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try GlobalAveragePooling2D()(features)
    }
}

/// What the network has come to: the last cell's output and that of the one before.
private struct NASNetCells {
    var x: SymbolicTensor
    var previous: SymbolicTensor?

    /// A cell that keeps rows and columns.
    mutating func keep(filters: Int, id: String) throws(GraftError) {
        let p = try adjusted(filters: filters, id: id)
        let h = try x.through(
            Activation(.relu),
            NASNetLayers.convolution(filters, 1, names: ("normal_conv_1_\(id)", "normal_bn_1_\(id)")))
        func separable(_ x: SymbolicTensor, _ size: Int, _ name: String) throws(GraftError) -> SymbolicTensor {
            try x.through(NASNetLayers.Separable(filters: filters, size: size, strides: 1, id: "normal_\(name)_\(id)"))
        }
        func mean(_ x: SymbolicTensor, _ name: String) throws(GraftError) -> SymbolicTensor {
            try AveragePooling2D(poolSize: 3, strides: 1, padding: .same, name: "normal_\(name)_\(id)")(x)
        }
        let sums = [
            try Add(name: "normal_add_1_\(id)")([separable(h, 5, "left1"), separable(p, 3, "right1")]),
            try Add(name: "normal_add_2_\(id)")([separable(p, 5, "left2"), separable(p, 3, "right2")]),
            try Add(name: "normal_add_3_\(id)")([mean(h, "left3"), p]),
            try Add(name: "normal_add_4_\(id)")([mean(p, "left4"), mean(p, "right4")]),
            try Add(name: "normal_add_5_\(id)")([separable(h, 3, "left5"), h]),
        ]
        (x, previous) = (try Concatenate(name: "normal_concat_\(id)")([p] + sums), x)
    }

    /// A cell that halves rows and columns.
    mutating func reduce(filters: Int, id: String) throws(GraftError) {
        let p = try adjusted(filters: filters, id: id)
        let h = try x.through(
            Activation(.relu),
            NASNetLayers.convolution(filters, 1, names: ("reduction_conv_1_\(id)", "reduction_bn_1_\(id)")))
        let padded = try ZeroPadding2D(
            padding: .halving(h.shape, kernelSize: 3), name: "reduction_pad_1_\(id)")(h)
        func separable(_ x: SymbolicTensor, _ size: Int, _ name: String, strides: Int = 2) throws(GraftError)
            -> SymbolicTensor
        {
            try x.through(
                NASNetLayers.Separable(filters: filters, size: size, strides: strides, id: "reduction_\(name)_\(id)"))
        }
        let x1 = try Add(name: "reduction_add_1_\(id)")([separable(h, 5, "left1"), separable(p, 7, "right1")])
        let x2 = try Add(name: "reduction_add_2_\(id)")([
            MaxPooling2D(poolSize: 3, strides: 2, name: "reduction_left2_\(id)")(padded), separable(p, 7, "right2"),
        ])
        let x3 = try Add(name: "reduction_add3_\(id)")([
            AveragePooling2D(poolSize: 3, strides: 2, name: "reduction_left3_\(id)")(padded), separable(p, 5, "right3"),
        ])
        let x4 = try Add()([
            x2, AveragePooling2D(poolSize: 3, strides: 1, padding: .same, name: "reduction_left4_\(id)")(x1),
        ])
        let x5 = try Add(name: "reduction_add4_\(id)")([
            separable(x1, 3, "left4", strides: 1),
            MaxPooling2D(poolSize: 3, strides: 2, name: "reduction_right5_\(id)")(padded),
        ])
        (x, previous) = (try Concatenate(name: "reduction_concat_\(id)")([x2, x3, x4, x5]), x)
    }

    /// The input before the last, with as many rows and channels as the cell's views have.
    private func adjusted(filters: Int, id: String) throws(GraftError) -> SymbolicTensor {
        guard let previous else { return x }
        if previous.shape[1] != x.shape[1] { return try halved(previous, filters: filters, id: id) }
        guard previous.shape.last != filters else { return previous }
        return try previous.through(
            Activation(.relu),
            NASNetLayers.convolution(filters, 1, names: ("adjust_conv_projection_\(id)", "adjust_bn_\(id)")))
    }

    /// Every other pixel, and every other one beside it, with half of the channels each.
    private func halved(_ p: SymbolicTensor, filters: Int, id: String) throws(GraftError) -> SymbolicTensor {
        let active = try Activation(.relu, name: "adjust_relu_1_\(id)")(p)
        func half(_ x: SymbolicTensor, _ number: Int) throws(GraftError) -> SymbolicTensor {
            try x.through(
                AveragePooling2D(poolSize: 1, strides: 2, name: "adjust_avg_pool_\(number)_\(id)"),
                Conv2D(
                    filters / 2, kernelSize: 1, padding: .same, useBias: false, kernelInitializer: .heNormal,
                    name: "adjust_conv_\(number)_\(id)"))
        }
        let first = try half(active, 1)
        let shifted = try active.through(
            ZeroPadding2D(padding: EdgePadding(top: 0, bottom: 1, left: 0, right: 1)),
            Cropping2D(cropping: EdgePadding(top: 1, bottom: 0, left: 1, right: 0)))
        return try Concatenate()([first, half(shifted, 2)])
            .through(NASNetLayers.normalization("adjust_bn_\(id)"))
    }
}

/// What NASNet's cells are built of.
private enum NASNetLayers {
    static func normalization(_ name: String) -> BatchNormalization {
        BatchNormalization(momentum: 0.9997, name: name)
    }

    /// A convolution and its normalization.
    static func convolution(
        _ filters: Int, _ size: Int, strides: Int = 1, padding: Padding = .same, names: (String, String)
    ) -> Pair {
        Pair(
            convolution: Conv2D(
                filters, kernelSize: Size2D(size), strides: Size2D(strides), padding: padding, useBias: false,
                kernelInitializer: .heNormal, name: names.0),
            normalization: normalization(names.1))
    }

    struct Pair: Block {
        let convolution: Layer
        let normalization: Layer

        func output(for input: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
            try input.through(convolution, normalization)
        }
    }

    /// Two separable convolutions, each behind an activation and before a normalization; the first one may halve.
    struct Separable: Block {
        let filters: Int
        let size: Int
        let strides: Int
        let id: String

        func output(for input: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
            var x = try Activation(.relu)(input)
            if strides == 2 {
                x = try ZeroPadding2D(
                    padding: .halving(x.shape, kernelSize: size), name: "separable_conv_1_pad_\(id)")(x)
            }
            return try x.through(
                SeparableConv2D(
                    filters, kernelSize: Size2D(size), strides: Size2D(strides), padding: strides == 2 ? .valid : .same,
                    useBias: false, name: "separable_conv_1_\(id)"),
                normalization("separable_conv_1_bn_\(id)"), Activation(.relu),
                SeparableConv2D(
                    filters, kernelSize: Size2D(size), padding: .same, useBias: false, name: "separable_conv_2_\(id)"),
                normalization("separable_conv_2_bn_\(id)"))
        }
    }
}
