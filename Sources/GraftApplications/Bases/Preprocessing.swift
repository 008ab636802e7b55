/// What a network does first to an image of numbers from 0 to 255, red, green, blue: plain layers inside the model, so
/// that a saved model carries them and no one can forget them or apply them twice.
public enum Preprocessing: String, Codable, Hashable, Sendable, CaseIterable {
    /// Nothing: the model takes numbers that were preprocessed before.
    case none
    /// `x / 127.5 − 1`, from −1 to 1 (Keras's mode `tf`): one ``Rescaling``.
    case signedUnit = "signed-unit"
    /// `x / 128 − 1`, from −1 to nearly 1 (EfficientNetV2-S): one ``Rescaling``.
    case signedUnit128 = "signed-unit-128"
    /// `x / 255`, from 0 to 1, as tutorials often do it: one ``Rescaling``.
    case unit
    /// `(x − 127) / 128`, from −127 / 128 to 1 (TensorFlow's EfficientNet-Lite): one ``Rescaling``, exact in 32 bits.
    case lite
    /// `(x / 255 − mean) / deviation`, with ImageNet's mean and standard deviation of each channel (Keras's mode `torch`): a
    /// ``Rescaling`` and a ``Normalization``.
    case torch
    /// Blue, green, red, minus the means of ImageNet, 103.939, 116.779, 123.68 (Keras's mode `caffe`):
    /// one 1 × 1 ``Conv2D`` called `bgr` that holds constants: nothing unfreezes it.
    case caffe
    /// The same with whole means, 104, 117, 123, as the networks of Caffe's own collection were trained (SqueezeNet).
    case caffeWhole = "caffe-whole"

    /// What it does, as a formula.
    public var formula: String {
        switch self {
        case .none: "x"
        case .signedUnit: "x / 127.5 - 1"
        case .signedUnit128: "x / 128 - 1"
        case .unit: "x / 255"
        case .lite: "(x - 127) / 128"
        case .torch: "(x / 255 - mean) / deviation of ImageNet's channels"
        case .caffe: "BGR - (103.939, 116.779, 123.68)"
        case .caffeWhole: "BGR - (104, 117, 123)"
        }
    }

    /// The layer of ``caffe`` and ``caffeWhole``. It has weights, and published weight files have none for it.
    static let caffeLayerName = "bgr"

    /// An image taken through the layers.
    ///
    /// - Throws: `GraftError` with code `shape` where the image is not RGB and must be.
    package func output(for image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        switch self {
        case .none: image
        case .signedUnit: try Rescaling(1 / 127.5, offset: -1)(image)
        case .signedUnit128: try Rescaling(1 / 128.0, offset: -1)(image)
        case .unit: try Rescaling(1 / 255)(image)
        case .lite: try Rescaling(1 / 128.0, offset: -127 / 128.0)(image)
        case .torch: try Self.normalized(image)
        case .caffe: try Self.reversed(image, minus: [103.939, 116.779, 123.68])
        case .caffeWhole: try Self.reversed(image, minus: [104, 117, 123])
        }
    }

    /// ImageNet's mean of each channel, red, green, blue, of pixels from 0 to 1, and their standard deviation.
    static let imageNetMean = [0.485, 0.456, 0.406]
    static let imageNetDeviation = [0.229, 0.224, 0.225]

    private static func normalized(_ image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        guard image.shape.last == 3 else {
            throw GraftError(
                .shape,
                """
                images of shape \(image.shape) cannot be normalized with ImageNet's red, green and blue: three channels \
                are needed. Bring the images to RGB, or leave the preprocessing out
                """)
        }
        return try image.through(
            Rescaling(1 / 255.0),
            Normalization(
                axes: [3], mean: .channels(imageNetMean), variance: .channels(imageNetDeviation.map { $0 * $0 })))
    }

    private static func reversed(
        _ image: SymbolicTensor, minus means: [Float]
    ) throws(GraftError) -> SymbolicTensor {
        guard image.shape.last == 3 else {
            throw GraftError(
                .shape,
                """
                images of shape \(image.shape) cannot be turned from RGB to BGR: three channels are needed. \
                Bring the images to RGB, or leave the preprocessing out
                """)
        }
        let layer = Conv2D(3, kernelSize: 1, name: caffeLayerName)
        let output = try layer(image)
        let reversal: [Float] = [0, 0, 1, 0, 1, 0, 1, 0, 0]
        try layer.setWeights([
            Tensor(reversal, shape: [1, 1, 3, 3]), Tensor(means.map { -$0 }, shape: [3]),
        ])
        layer.freezePermanently()
        return output
    }
}

extension Model {
    /// The layers that published weights are for: those with variables, in order, without the preprocessing.
    package var publishedLayers: [Layer] {
        layers.filter { !$0.variables.isEmpty && $0.name != Preprocessing.caffeLayerName }
    }
}
