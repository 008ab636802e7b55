/// In training, brings each image nearer or farther by factors of its own. In inference mode it does nothing.
///
/// Of a factor f between `heightFactor`'s amounts, the result shows 1 + f times the image's height: more for a positive one,
/// which is farther. Without `widthFactor` the width has the same factor. Source:
/// keras/src/layers/preprocessing/image_preprocessing/random_zoom.py.
public final class RandomZoom: RandomGeometryLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        RandomZoom.self, RandomZoom.init, .plain("height_factor", \.heightFactor, default: nil, .zoom),
        .plain("width_factor", \.widthFactor, default: .some(nil), .zoomOrNil), .fillMode, .interpolation, .fillValue,
        .seed, .name, fixed: [.channelsLast], traits: [.trainingOnly])

    override class var drawCount: Int { 2 }

    /// What is added to the height.
    public let heightFactor: ImageFactor
    /// What is added to the width; `nil` for the same as to the height.
    public let widthFactor: ImageFactor?

    /// A layer with these amounts.
    public init(
        _ heightFactor: ImageFactor, widthFactor: ImageFactor? = nil, fillMode: FillMode = .reflect,
        interpolation: Interpolation = .bilinear, fillValue: Double = 0, seed: Int? = nil, name: String? = nil
    ) {
        (self.heightFactor, self.widthFactor) = (heightFactor, widthFactor)
        super.init(fillMode: fillMode, interpolation: interpolation, fillValue: fillValue, seed: seed, name: name)
    }

    override func change(_ images: ValueID, _ draws: [ValueID], in graph: inout Graph) throws(GraftError) -> ValueID {
        let shape = graph.shape(of: images)
        let height = try heightFactor.amounts(draws[0], plus: 1, in: &graph)
        let width = try widthFactor.map { (factor) throws(GraftError) in
            try factor.amounts(draws[1], plus: 1, in: &graph)
        }
        let offset = { (zoom: ValueID, size: Int, graph: inout Graph) throws(GraftError) -> ValueID in
            try graph.binary(.multiply, graph.binary(.subtract, 1, zoom), Float(size - 1) / 2)
        }
        let zero = try graph.constant(Tensor([0], shape: [1, 1]))
        let columns = try offset(width ?? height, shape[2], &graph)
        let rows = try offset(height, shape[1], &graph)
        return try read(images, at: [width ?? height, zero, columns, zero, height, rows], in: &graph)
    }
}

extension Requirement<ImageFactor> {
    /// No image is shrunk to nothing.
    fileprivate static var zoom: Self {
        Self { factor in
            factor.lower > -1 && factor.upper <= 1
                ? nil : "must be above -1 and at most 1, is \(factor.lower) to \(factor.upper)"
        }
    }
}

extension Requirement<ImageFactor?> {
    fileprivate static var zoomOrNil: Self { Self { $0.flatMap(Requirement<ImageFactor>.zoom.problem) } }
}
