/// The sizes of an array's axes, outermost first; `[]` is a scalar.
///
/// Activations are NHWC (batch, height, width, channels); convolution kernels are HWIO
/// (height, width, input channels per group, output channels); the kernel of a dense layer is [inputs, units].
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The size of each axis.
    public var dimensions: [Int]

    /// A shape of these sizes.
    public init(_ dimensions: [Int]) { self.dimensions = dimensions }

    /// A shape of these sizes.
    public init(arrayLiteral elements: Int...) { dimensions = elements }

    /// The number of axes.
    public var rank: Int { dimensions.count }

    /// The product of all sizes; 1 for a scalar.
    public var elementCount: Int { dimensions.reduce(1, *) }

    /// The distance, in elements, between neighbours along each axis of a dense row-major array.
    public var strides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * dimensions[axis + 1]
        }
        return strides
    }

    /// The size of one axis.
    public subscript(axis: Int) -> Int {
        get { dimensions[axis] }
        set { dimensions[axis] = newValue }
    }

    /// The size of the innermost axis, 1 for a scalar: the channels of an activation.
    public var last: Int { dimensions.last ?? 1 }

    /// As Keras prints it: `(7, 7, 768)`, `(1,)`.
    public var description: String {
        "(" + dimensions.map(String.init).joined(separator: ", ") + (rank == 1 ? ",)" : ")")
    }

    /// Whether every size is at least zero and the bytes of an array of them can be counted by an `Int`, strides
    /// included; what a file declares is checked with this before anything else is asked of the shape.
    public var isValid: Bool {
        var product = 1
        for dimension in dimensions {
            guard dimension >= 0 else { return false }
            let (next, overflow) = product.multipliedReportingOverflow(by: max(dimension, 1))
            guard !overflow else { return false }
            product = next
        }
        return product <= Int.max / 8
    }

    /// The shape two operands have together under numpy's broadcasting rule, or `nil` where they do not fit.
    public func broadcast(with other: Shape) -> Shape? {
        let rank = max(rank, other.rank)
        var result = [Int](repeating: 1, count: rank)
        for axis in 0..<rank {
            let left = axis < rank - self.rank ? 1 : dimensions[axis - (rank - self.rank)]
            let right = axis < rank - other.rank ? 1 : other.dimensions[axis - (rank - other.rank)]
            guard left == right || left == 1 || right == 1 else { return nil }
            result[axis] = left == 1 ? right : left
        }
        return Shape(result)
    }
}
