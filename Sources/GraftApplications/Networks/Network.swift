import GraftFormats

/// The layers of a base, from an image to its features, and what its top puts on them.
///
/// One file a network, which reads like the table of its paper. Layers are made in the order in which Keras makes them:
/// the automatic names follow from it.
protocol Network: Sendable {
    /// The features of an image: what the network puts out without its top and without pooling.
    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor

    /// What the top computes from the features before its last layer, the classes.
    func classifierInput(of features: SymbolicTensor) throws(GraftError) -> SymbolicTensor

    /// Whether the size of the top's variables depends on the image's size.
    var topNeedsDefaultSize: Bool { get }

    /// Whether the features are a vector already, so that `pooling` has nothing to do.
    var featuresArePooled: Bool { get }

    /// The names of the layers that `pooling` adds; automatic ones where `nil`.
    var poolingNames: (average: String, max: String)? { get }

    /// What a model's name ends with for images of this shape.
    func nameSuffix(for inputShape: Shape) -> String

    /// Where its weights are in safetensors files of PyTorch's; `nil` where no such file is known.
    var pyTorch: PyTorchLayout? { get }
}

extension Network {
    /// The mean over all places, as most tops begin.
    func classifierInput(of features: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try GlobalAveragePooling2D(name: "avg_pool")(features)
    }

    /// Most tops take features of any size.
    var topNeedsDefaultSize: Bool { false }

    /// Most features have places.
    var featuresArePooled: Bool { false }

    /// Most networks name no pooling layers.
    var poolingNames: (average: String, max: String)? { nil }

    /// Most names do not depend on the images.
    func nameSuffix(for inputShape: Shape) -> String { "" }

    /// Most weights are read from Keras's files alone.
    var pyTorch: PyTorchLayout? { nil }
}

/// A piece of a network: takes a tensor through a layer or a few.
protocol Block {
    func output(for input: SymbolicTensor) throws(GraftError) -> SymbolicTensor
}

extension Layer: Block {
    final func output(for input: SymbolicTensor) throws(GraftError) -> SymbolicTensor { try self(input) }
}

extension SymbolicTensor {
    /// What comes out of these pieces, one after the other.
    func through(_ blocks: any Block...) throws(GraftError) -> SymbolicTensor {
        var tensor = self
        for block in blocks { tensor = try block.output(for: tensor) }
        return tensor
    }
}

/// A convolution, its batch normalization and its activation: the brick that nearly all bases are built of.
struct ConvolutionBlock: Block {
    var filters: Int
    /// Rows and columns of the kernel.
    var kernelSize: Size2D
    var strides: Size2D = 1
    var padding: Padding = .same
    var useBias = false
    /// What the normalization adds to the variance.
    var epsilon = 1e-3
    /// The share of the old value that a moving mean or variance keeps at each training step.
    var momentum = 0.99
    /// Whether the normalization has a factor, `gamma`.
    var scale = true
    /// `.linear` leaves the activation's layer out.
    var activation: ActivationFunction = .relu
    /// The names of the three layers; automatic ones where `nil`.
    var names: (convolution: String, normalization: String, activation: String?)?

    func output(for input: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        let normalized = try input.through(
            Conv2D(
                filters, kernelSize: kernelSize, strides: strides, padding: padding, useBias: useBias,
                name: names?.convolution),
            BatchNormalization(momentum: momentum, epsilon: epsilon, scale: scale, name: names?.normalization))
        guard activation != .linear else { return normalized }
        return try Activation(activation, name: names?.activation)(normalized)
    }
}
