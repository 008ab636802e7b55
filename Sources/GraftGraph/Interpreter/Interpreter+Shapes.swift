#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension ReductionFunction {
    /// The operand reduced to a shape that has size 1 along the axes that go.
    func applied(to operand: ReferenceArray, result: Shape) -> ReferenceArray {
        var reduced = ReferenceArray(repeating: self == .maximum ? -.infinity : 0, shape: result)
        let steps = zip(result.dimensions, result.strides).map { size, stride in size == 1 ? 0 : stride }
        forEachPosition(in: operand.shape, steps: steps) { from, to in
            switch self {
            case .sum, .mean: reduced.values[to] += operand.values[from]
            case .maximum: reduced.values[to] = max(reduced.values[to], operand.values[from])
            }
        }
        if self == .mean {
            let count = Double(operand.shape.elementCount) / Double(result.elementCount)
            reduced.values = reduced.values.map { $0 / count }
        }
        return reduced
    }
}

extension Interpreter {
    /// Zeros with the operand inside them.
    static func padded(_ operand: ReferenceArray, before: [Int], result: Shape) -> ReferenceArray {
        var padded = ReferenceArray(shape: result)
        let start = zip(before, result.strides).reduce(0) { $0 + $1.0 * $1.1 }
        forEachPosition(in: operand.shape, from: start, steps: result.strides) { from, to in
            padded.values[to] = operand.values[from]
        }
        return padded
    }

    /// The part of the operand that begins at `start`.
    static func sliced(_ operand: ReferenceArray, start: [Int], _ shape: Shape) -> ReferenceArray {
        let strides = operand.shape.strides
        return operand.gathered(shape, from: zip(start, strides).reduce(0) { $0 + $1.0 * $1.1 }, steps: strides)
    }

    /// The operands one after the other along an axis.
    static func concatenated(_ operands: [ReferenceArray], axis: Int, result: Shape) -> ReferenceArray {
        var joined = ReferenceArray(shape: result)
        var start = 0
        for operand in operands {
            forEachPosition(in: operand.shape, from: start * result.strides[axis], steps: result.strides) { from, to in
                joined.values[to] = operand.values[from]
            }
            start += operand.shape[axis]
        }
        return joined
    }

    /// `eˣ / Σ eˣ` over the last axis, or its logarithm; the largest element is taken away first.
    static func softmax(_ operand: ReferenceArray, logarithm: Bool) -> ReferenceArray {
        var result = operand
        let length = operand.shape.last
        for start in stride(from: 0, to: operand.values.count, by: max(length, 1)) {
            let row = operand.values[start..<start + length]
            let largest = row.max() ?? 0
            let sum = row.reduce(0) { $0 + exp($1 - largest) }
            for position in row.indices {
                let shifted = operand.values[position] - largest
                result.values[position] = logarithm ? shifted - log(sum) : exp(shifted) / sum
            }
        }
        return result
    }
}
