#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Functions of one number.
public enum UnaryFunction: Hashable, Sendable, CaseIterable {
    /// −x
    case negate
    /// |x|
    case absolute
    /// −1, 0 or 1
    case sign
    /// x²
    case square
    /// √x
    case squareRoot
    /// 1/√x
    case reciprocalSquareRoot
    /// eˣ
    case exponential
    /// eˣ − 1, exact near zero
    case exponentialMinusOne
    /// ln x
    case logarithm
    /// ln(1 + x), exact near zero
    case logarithmOnePlus
    /// max(x, 0)
    case relu
    /// 1 / (1 + e⁻ˣ)
    case sigmoid
    /// tanh x
    case tanh
    /// The error function.
    case errorFunction
}

extension UnaryFunction {
    /// The function's value in 64 bits.
    package func callAsFunction(_ x: Double) -> Double {
        switch self {
        case .negate: -x
        case .absolute: abs(x)
        case .sign: x > 0 ? 1 : x < 0 ? -1 : 0
        case .square: x * x
        case .squareRoot: x.squareRoot()
        case .reciprocalSquareRoot: 1 / x.squareRoot()
        case .exponential: exp(x)
        case .exponentialMinusOne: expm1(x)
        case .logarithm: log(x)
        case .logarithmOnePlus: log1p(x)
        case .relu: max(x, 0)
        case .sigmoid: 1 / (1 + exp(-x))
        case .tanh: hyperbolicTangent(x)
        case .errorFunction: erf(x)
        }
    }

    /// `gradient · f′(x)`, written with `y = f(x)` where that is possible; nothing for a function of steps.
    func gradient(_ step: BackwardStep, in graph: inout Graph) throws(GraftError) -> ValueID? {
        let (x, y, gradient) = (step.operand(0), step.value, step.gradient)
        switch self {
        case .negate: return try graph.unary(.negate, gradient)
        case .absolute: return try graph.binary(.multiply, gradient, graph.unary(.sign, x))
        case .sign: return nil
        case .square: return try graph.binary(.multiply, gradient, graph.scaled(x, by: 2))
        case .squareRoot: return try graph.binary(.divide, graph.scaled(gradient, by: 0.5), y)
        case .reciprocalSquareRoot:
            let cube = try graph.binary(.multiply, y, graph.unary(.square, y))
            return try graph.binary(.multiply, graph.scaled(gradient, by: -0.5), cube)
        case .exponential: return try graph.binary(.multiply, gradient, y)
        case .exponentialMinusOne: return try graph.binary(.multiply, gradient, graph.binary(.add, y, 1))
        case .logarithm: return try graph.binary(.divide, gradient, x)
        case .logarithmOnePlus: return try graph.binary(.divide, gradient, graph.binary(.add, x, 1))
        case .relu: return try graph.select(graph.binary(.greater, y, 0), gradient, graph.constant(0))
        case .sigmoid:
            let slope = try graph.binary(.multiply, y, graph.binary(.subtract, 1, y))
            return try graph.binary(.multiply, gradient, slope)
        case .tanh:
            return try graph.binary(.multiply, gradient, graph.binary(.subtract, 1, graph.unary(.square, y)))
        case .errorFunction:
            let bell = try graph.unary(.exponential, graph.unary(.negate, graph.unary(.square, x)))
            return try graph.binary(.multiply, graph.scaled(gradient, by: 1.128_379_167_095_512_6), bell)  // 2/√π
        }
    }
}

/// The C library's function, under a name that the case `tanh` does not hide.
private func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
