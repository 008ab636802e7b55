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

    /// What a network without its top puts out, from its features as they are or pooled.
    func finished(_ features: SymbolicTensor) throws(GraftError) -> SymbolicTensor

    /// What the top puts out: the classes of ImageNet, or others.
    func classified(
        _ features: SymbolicTensor, classes: Int, activation: ActivationFunction
    ) throws(GraftError) -> SymbolicTensor

    /// A preprocessed image.
    func preprocessed(_ image: SymbolicTensor, by preprocessing: Preprocessing) throws(GraftError) -> SymbolicTensor

    /// The network that loaded weights were trained with, where their values tell that it is another than this one.
    func asTrained(by model: Model) -> (any Network)?

    /// Whether its own preprocessing has variables, which published files fill.
    var preprocessingHasWeights: Bool { get }

    /// Whether Keras's network begins with the same preprocessing, layer by layer.
    var preprocessingIsKerass: Bool { get }

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

    /// The same of several packages, for images of a shape.
    func pyTorchLayouts(for image: Shape) -> [PyTorchLayout]
}

extension Network {
    /// The mean over all places, as most tops begin.
    func classifierInput(of features: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try GlobalAveragePooling2D(name: "avg_pool")(features)
    }

    /// Nothing comes behind most features.
    func finished(_ features: SymbolicTensor) throws(GraftError) -> SymbolicTensor { features }

    /// A dense layer, as most tops end.
    func classified(
        _ features: SymbolicTensor, classes: Int, activation: ActivationFunction
    ) throws(GraftError) -> SymbolicTensor {
        try Dense(classes, activation: activation, name: "predictions")(classifierInput(of: features))
    }

    /// Most networks take images preprocessed in the layers that all have for it.
    func preprocessed(_ image: SymbolicTensor, by preprocessing: Preprocessing) throws(GraftError) -> SymbolicTensor {
        try preprocessing.output(for: image)
    }

    /// Most networks are the same whatever their weights.
    func asTrained(by model: Model) -> (any Network)? { nil }

    /// Most preprocessings have constants alone.
    var preprocessingHasWeights: Bool { false }

    /// Most networks of Keras take images that a function beside them has preprocessed.
    var preprocessingIsKerass: Bool { false }

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

    /// Most have one at most.
    func pyTorchLayouts(for image: Shape) -> [PyTorchLayout] { pyTorch.map { [$0] } ?? [] }
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

/// A batch normalization and its activation, as networks have it that normalize in front of their convolutions.
struct NormalizedActivation: Block {
    /// The names of the two layers.
    let normalization: String
    let activation: String

    init(normalization: String, activation: String) {
        (self.normalization, self.activation) = (normalization, activation)
    }

    /// Layers called `name_bn` and `name_relu`.
    init(name: String) { self.init(normalization: "\(name)_bn", activation: "\(name)_relu") }

    func output(for input: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try input.through(
            BatchNormalization(epsilon: 1.001e-5, name: normalization), Activation(.relu, name: activation))
    }
}

extension EdgePadding {
    /// What goes around an image before a window halves it with `valid` edges: as much below and to the right as `same` would
    /// put there, and one less above and to the left where the size is even, as TensorFlow's networks were trained.
    ///
    /// Source: keras/src/applications/imagenet_utils.py, `correct_pad`.
    static func halving(_ image: Shape, kernelSize: Int) -> EdgePadding {
        let half = kernelSize / 2
        return EdgePadding(
            top: half - (1 - image[0] % 2), bottom: half, left: half - (1 - image[1] % 2), right: half)
    }
}
