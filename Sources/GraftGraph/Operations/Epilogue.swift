/// What a convolution or matrix product does to its result before writing it: `activation(result + bias + addend)`.
///
/// Only passes set one; layers lower to plain operations.
public struct Epilogue: Hashable, Sendable {
    /// Whether an operand of shape [channels] is added.
    public var bias: Bool
    /// Whether an operand of the result's shape is added.
    public var addend: Bool
    /// What is applied last.
    public var activation: FusedActivation?
    /// An epilogue of these parts.
    public init(bias: Bool = false, addend: Bool = false, activation: FusedActivation? = nil) {
        (self.bias, self.addend, self.activation) = (bias, addend, activation)
    }
    /// Nothing but the result.
    public static let none = Epilogue()
    /// The number of operands it adds.
    public var operandCount: Int { (bias ? 1 : 0) + (addend ? 1 : 0) }
}

/// The activations that backends can apply while writing a result.
public enum FusedActivation: Hashable, Sendable {
    /// max(x, 0)
    case relu
    /// min(max(x, 0), 6)
    case relu6
    /// 1 / (1 + exp(−x))
    case sigmoid
    /// tanh(x)
    case tanh

    /// The activation's value in 64 bits.
    package func callAsFunction(_ x: Double) -> Double {
        switch self {
        case .relu: max(x, 0)
        case .relu6: min(max(x, 0), 6)
        case .sigmoid: UnaryFunction.sigmoid(x)
        case .tanh: UnaryFunction.tanh(x)
        }
    }
}

extension Epilogue {
    /// The result's shape, where the operands that it adds have those that they need.
    func checked(_ operands: ArraySlice<Shape>, result: Shape) throws(GraftError) -> Shape {
        let expected = (bias ? [Shape([result.last])] : []) + (addend ? [result] : [])
        guard Array(operands) == expected else {
            throw GraftError(.shape, "an epilogue needs the shapes \(expected), got \(Array(operands))")
        }
        return result
    }

    /// `activation(result + bias + addend)`
    func applied(to result: ReferenceArray, _ operands: ArraySlice<ReferenceArray>) -> ReferenceArray {
        var result = result
        for operand in operands {
            let addend = operand.broadcast(to: result.shape)
            for position in result.values.indices { result.values[position] += addend.values[position] }
        }
        if let activation { result.values = result.values.map(activation.callAsFunction) }
        return result
    }
}
