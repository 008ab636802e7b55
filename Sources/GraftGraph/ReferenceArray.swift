/// A dense array of 64-bit floats in row-major order: the interpreter's numbers.
public struct ReferenceArray: Hashable, Sendable {
    /// The sizes of its axes.
    public var shape: Shape
    /// The elements in row-major order.
    public var values: [Double]

    /// An array of these numbers.
    ///
    /// - Precondition: `values.count == shape.elementCount`.
    public init(_ values: [Double], shape: Shape) {
        precondition(values.count == shape.elementCount, "\(values.count) numbers do not fill the shape \(shape)")
        (self.shape, self.values) = (shape, values)
    }

    /// An array with the same number everywhere.
    public init(repeating value: Double = 0, shape: Shape) {
        (self.shape, values) = (shape, [Double](repeating: value, count: shape.elementCount))
    }

    /// A scalar, of rank 0.
    public init(_ scalar: Double) { self.init([scalar], shape: []) }

    /// The numbers of a tensor, exactly.
    public init(_ tensor: Tensor) {
        self.init(tensor.doubles, shape: tensor.shape)
    }

    /// The numbers rounded to 32 bits.
    public var tensor: Tensor { Tensor(values.map { Float($0) }, shape: shape) }

    /// The same elements under another shape of as many.
    func reshaped(to shape: Shape) -> ReferenceArray { ReferenceArray(values, shape: shape) }

    /// The elements at the positions that a loop over `shape` visits when each axis takes these steps in memory.
    func gathered(_ shape: Shape, from start: Int = 0, steps: [Int]) -> ReferenceArray {
        var result = ReferenceArray(shape: shape)
        forEachPosition(in: shape, from: start, steps: steps) { result.values[$0] = values[$1] }
        return result
    }

    /// The array repeated to a shape by numpy's rule.
    func broadcast(to shape: Shape) -> ReferenceArray {
        guard shape != self.shape else { return self }
        let missing = [Int](repeating: 0, count: shape.rank - self.shape.rank)
        let steps = zip(self.shape.dimensions, self.shape.strides).map { size, stride in size == 1 ? 0 : stride }
        return gathered(shape, steps: missing + steps)
    }
}

extension StochasticRounding {
    /// The values rounded to float32, as machines compute them, and then stochastically.
    func applied(to array: ReferenceArray) -> ReferenceArray {
        let values = array.values.enumerated().map { Double(rounded(Float($1), at: $0)) }
        return ReferenceArray(values, shape: array.shape)
    }
}

/// Calls `body` for each element of a shape in row-major order: with its position, and with the position in an array
/// that begins at `start` and whose neighbours along each axis are `steps` apart.
func forEachPosition(in shape: Shape, from start: Int = 0, steps: [Int], _ body: (Int, Int) -> Void) {
    var index = [Int](repeating: 0, count: shape.rank)
    var other = start
    for position in 0..<shape.elementCount {
        body(position, other)
        for axis in stride(from: shape.rank - 1, through: 0, by: -1) {
            index[axis] += 1
            other += steps[axis]
            if index[axis] < shape[axis] { break }
            other -= steps[axis] * shape[axis]
            index[axis] = 0
        }
    }
}
