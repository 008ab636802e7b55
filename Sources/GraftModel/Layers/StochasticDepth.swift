/// In training, sets whole examples to zero at random with the probability `dropPathRate`, and multiplies the others by
/// 1 / (1 − dropPathRate): in front of an addition, a block is left out. In inference mode, and with rate 0, it does nothing.
///
/// Input and output have the same shape. Each step draws anew; the same run draws the same again.
///
/// A layer of Keras's ConvNeXt, outside of Keras's interface: files name the module that it is in.
///
/// Source: Huang et al., Deep Networks with Stochastic Depth, ECCV 2016, arXiv:1603.09382;
/// keras/src/applications/convnext.py.
public final class StochasticDepth: RandomLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        StochasticDepth.self, StochasticDepth.init(_:name:),
        .number("drop_path_rate", \.dropPathRate, called: "the rate", .fraction), .name, traits: [.trainingOnly],
        module: "keras.src.applications.convnext")

    /// The share of examples that is dropped, from 0 to 1.
    public let dropPathRate: Double

    /// A layer that drops this share of a batch's examples.
    public init(_ dropPathRate: Double, name: String? = nil) {
        self.dropPathRate = dropPathRate
        super.init(seed: nil, name: name)
    }

    /// A factor for each example, and a multiplication; nothing outside training.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let shape = context.graph.shape(of: input)
        let factors = Shape([shape[0]] + [Int](repeating: 1, count: shape.rank - 1))
        return try drop(input, factors: factors, rate: dropPathRate, in: &context)
    }
}
