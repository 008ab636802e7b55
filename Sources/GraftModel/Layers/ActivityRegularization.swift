/// The input itself, whose size is added to the loss: `l1 · Σ |x| + l2 · Σ x²`, divided by the number of examples.
///
/// Source: keras/src/layers/regularization/activity_regularization.py.
public final class ActivityRegularization: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        ActivityRegularization.self, ActivityRegularization.init(l1:l2:name:),
        .number("l1", \.l1, default: 0, .notNegative), .number("l2", \.l2, default: 0, .notNegative), .name,
        traits: [.builtFromTheStart, .keepsNumbers])

    /// The factor of the sum of magnitudes.
    public let l1: Double
    /// The factor of the sum of squares.
    public let l2: Double

    /// A layer that adds these to the loss.
    public init(l1: Double = 0, l2: Double = 0, name: String? = nil) {
        (self.l1, self.l2) = (l1, l2)
        super.init(name: name)
    }

    package override var outputRegularizer: Regularizer? { .l1l2(l1: Float(l1), l2: Float(l2)) }
}
