/// Random numbers, and what is rounded by them: new ones in each run, from the run's random key.
public enum RandomOperation: Hashable, Sendable {
    /// Uniform random numbers in [0, 1) of this stream number: see ``RandomStream``.
    case uniform(stream: UInt64, Shape)
    /// `operand` rounded stochastically to bfloat16, by the random bits of this stream:
    /// see ``StochasticRounding``.
    case stochasticRounding(stream: UInt64)
}

extension RandomOperation: OperationRule {
    package var name: String {
        switch self {
        case .uniform: "randomUniform"
        case .stochasticRounding: "stochasticRounding"
        }
    }

    package var operandCount: Int? { if case .uniform = self { 0 } else { 1 } }

    package var attributeShapes: [Shape] { if case .uniform(_, let shape) = self { [shape] } else { [] } }

    package func shape(of operands: [Shape]) -> Shape {
        if case .uniform(_, let shape) = self { shape } else { operands[0] }
    }

    package var typeRule: TypeRule { if case .uniform = self { .fixed(.float32) } else { .fixed(.bfloat16) } }

    /// As if rounding had the slope 1, which it has on the mean.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        try graph.cast(step.gradient, to: graph[step.operand(0)].elementType)
    }

    /// Without a run's key: zeros, and numbers that are not rounded. See ``reference(key:_:result:)``.
    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        operands.first ?? ReferenceArray(shape: result)
    }

    /// The result in a run of this random key.
    func reference(key: UInt64, _ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        switch self {
        case .uniform(let stream, let shape):
            let stream = RandomStream(key: key, stream: stream)
            return ReferenceArray((0..<shape.elementCount).map { Double(stream.uniform(at: $0)) }, shape: shape)
        case .stochasticRounding(let stream):
            return StochasticRounding(key: key, stream: stream).applied(to: operands[0])
        }
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool { false }
}

extension Graph {
    /// Uniform random numbers in [0, 1), drawn anew at each run from the run's random key: see ``RandomStream``.
    ///
    /// - Parameter stream: the number of the stream; two values with one stream are the same numbers.
    public mutating func randomUniform(stream: UInt64, _ shape: Shape) throws(GraftError) -> ValueID {
        try add(.random(.uniform(stream: stream, shape)))
    }

    /// The operand rounded stochastically to bfloat16, anew at each run: see ``StochasticRounding``.
    ///
    /// - Parameter stream: the number of the stream; two values with one stream are rounded by the same random bits.
    public mutating func roundStochastically(
        _ operand: ValueID, stream: UInt64
    ) throws(GraftError) -> ValueID {
        try add(.random(.stochasticRounding(stream: stream)), [operand])
    }
}
