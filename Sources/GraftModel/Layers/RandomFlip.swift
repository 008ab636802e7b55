/// In training, mirrors every second image, by chance. In inference mode it does nothing.
///
/// With both directions an image is mirrored in both or in none, as in Keras 3.15.
/// Source: keras/src/layers/preprocessing/image_preprocessing/random_flip.py.
public final class RandomFlip: RandomImageLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        RandomFlip.self, RandomFlip.init, .plain("mode", \.mode, default: .both), .seed, .name,
        fixed: [.channelsLast], traits: [.trainingOnly])

    /// The directions.
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// Left and right change places.
        case horizontal
        /// Top and bottom change places.
        case vertical
        /// Both.
        case both = "horizontal_and_vertical"
    }

    /// The direction.
    public let mode: Mode

    /// A layer that mirrors in this direction.
    public init(_ mode: Mode = .both, seed: Int? = nil, name: String? = nil) {
        self.mode = mode
        super.init(seed: seed, name: name)
    }

    override func change(_ images: ValueID, _ draws: [ValueID], in graph: inout Graph) throws(GraftError) -> ValueID {
        let shape = graph.shape(of: images)
        var mirrored = images
        for (axis, isMirrored) in [(1, mode != .horizontal), (2, mode != .vertical)] where isMirrored {
            let indices = Tensor((0..<shape[axis]).reversed().map(Float.init), shape: [shape[axis]])
            mirrored = try graph.gather(mirrored, at: graph.constant(indices), axis: axis)
        }
        let isKept = try graph.reshape(graph.binary(.greater, draws[0], 0.5), to: [shape[0], 1, 1, 1])
        return try graph.select(isKept, images, mirrored)
    }
}

extension RandomFlip.Mode: ConfigurationValue {
    init(configuration: Configuration) throws(GraftError) {
        let mode = configuration.text.flatMap { Self(rawValue: $0) }
        self = try configuration.expect(mode, "horizontal, vertical or horizontal_and_vertical")
    }

    var configuration: Configuration { .string(rawValue) }
}
