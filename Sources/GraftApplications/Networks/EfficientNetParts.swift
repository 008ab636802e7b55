/// What EfficientNets of both versions are built of: layers with Keras's names and initializers.
struct EfficientNetParts {
    /// The share of the old value that a moving mean or variance keeps at each training step.
    let momentum: Double

    /// Where nothing is loaded: normal with variance 2 / fanOut.
    static let initializer = Initializer.varianceScaling(scale: 2, mode: .fanOut, distribution: .truncatedNormal)

    /// A convolution and its normalization, `name_conv` and `name_bn`, and swish, `name_activation`.
    func convolution(
        _ input: SymbolicTensor, _ filters: Int, _ size: Int, strides: Int = 1, padding: Padding = .same, name: String,
        activates: Bool = true
    ) throws(GraftError) -> SymbolicTensor {
        let normalized = try input.through(
            Conv2D(
                filters, kernelSize: Size2D(size), strides: Size2D(strides), padding: padding, useBias: false,
                kernelInitializer: Self.initializer, name: "\(name)_conv"),
            BatchNormalization(momentum: momentum, name: "\(name)_bn"))
        return activates ? try Activation(.silu, name: "\(name)_activation")(normalized) : normalized
    }

    /// A convolution of each channel by itself, normalized, and swish.
    func depthwise(
        _ input: SymbolicTensor, _ size: Int, strides: Int, padding: Padding = .same, name: String, prefix: String
    ) throws(GraftError) -> SymbolicTensor {
        try input.through(
            DepthwiseConv2D(
                kernelSize: Size2D(size), strides: Size2D(strides), padding: padding, useBias: false,
                depthwiseInitializer: Self.initializer, name: name),
            BatchNormalization(momentum: momentum, name: prefix + "bn"),
            Activation(.silu, name: prefix + "activation"))
    }

    /// Squeeze-and-excite: each channel times a number from 0 to 1 that the means of all channels decide, by way of a quarter of
    /// the block's input channels.
    func weighed(
        _ x: SymbolicTensor, inputChannels: Int, prefix: String
    ) throws(GraftError) -> SymbolicTensor {
        let channels = x.shape.last
        let weights = try x.through(
            GlobalAveragePooling2D(name: prefix + "se_squeeze"),
            Reshape([1, 1, channels], name: prefix + "se_reshape"),
            Conv2D(
                max(1, inputChannels / 4), kernelSize: 1, padding: .same, activation: .silu,
                kernelInitializer: Self.initializer, name: prefix + "se_reduce"),
            Conv2D(
                channels, kernelSize: 1, padding: .same, activation: .sigmoid, kernelInitializer: Self.initializer,
                name: prefix + "se_expand"))
        return try Multiply(name: prefix + "se_excite")([x, weights])
    }

    /// What a block made, added to its input; in training, at the rate, not for every image (stochastic depth).
    func residual(
        _ x: SymbolicTensor, _ input: SymbolicTensor, dropRate: Double, prefix: String
    ) throws(GraftError) -> SymbolicTensor {
        let kept =
            dropRate > 0 ? try Dropout(dropRate, noiseShape: [nil, 1, 1, 1], name: prefix + "drop")(x) : x
        return try Add(name: prefix + "add")([kept, input])
    }

    /// The top: the mean over all places, and a dense layer.
    static func classified(
        _ features: SymbolicTensor, classes: Int, activation: ActivationFunction, dropout: Double
    ) throws(GraftError) -> SymbolicTensor {
        try features.through(
            GlobalAveragePooling2D(name: "avg_pool"), Dropout(dropout, name: "top_dropout"),
            Dense(
                classes, activation: activation,
                kernelInitializer: .varianceScaling(scale: 1 / 3.0, mode: .fanOut, distribution: .uniform),
                name: "predictions"))
    }
}
