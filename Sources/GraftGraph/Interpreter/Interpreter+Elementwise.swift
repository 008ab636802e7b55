#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension Interpreter {
    /// An elementwise operation: operands broadcast to the result, then one element after the other.
    static func elementwise(
        _ program: ElementwiseProgram, _ operands: [ReferenceArray], result: Shape
    ) -> ReferenceArray {
        let operands = operands.map { $0.broadcast(to: result).values }
        let values = (0..<result.elementCount).map { position in program.run(operands.map { $0[position] }) }
        return ReferenceArray(values, shape: result)
    }
}

extension ElementwiseProgram {
    /// The result for one element of each operand.
    fileprivate func run(_ operands: [Double]) -> Double {
        var registers = operands
        for instruction in instructions {
            switch instruction {
            case .constant(let value): registers.append(Double(value))
            case .unary(let function, let operand): registers.append(function(registers[operand]))
            case .binary(let function, let left, let right):
                registers.append(function(registers[left], registers[right]))
            case .select(let condition, let whenTrue, let whenFalse):
                registers.append(registers[condition] != 0 ? registers[whenTrue] : registers[whenFalse])
            }
        }
        return registers[registers.count - 1]
    }
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
}

extension BinaryFunction {
    /// The function's value in 64 bits.
    package func callAsFunction(_ a: Double, _ b: Double) -> Double {
        switch self {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .maximum: max(a, b)
        case .minimum: min(a, b)
        case .power: pow(a, b)
        case .greater: a > b ? 1 : 0
        case .greaterOrEqual: a >= b ? 1 : 0
        case .equal: a == b ? 1 : 0
        }
    }
}

extension FusedActivation {
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

/// The C library's function, under a name that the case `tanh` does not hide.
private func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
