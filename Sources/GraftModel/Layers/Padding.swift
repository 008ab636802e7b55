/// What a window does at the edges of an image.
///
/// Output size along an axis of size n, for a kernel of size k, a stride s and a dilation d, with e = (k − 1)·d + 1:
/// - `valid`: ⌊(n − e) / s⌋ + 1
/// - `same`: ⌈n / s⌉; max((⌈n/s⌉ − 1)·s + e − n, 0) rows are added, the smaller half of them above, as TensorFlow does
public enum Padding: String, Hashable, Sendable, CaseIterable {
    /// The window stays inside.
    case valid
    /// The output is as large as the input, divided by the stride.
    case same

    /// The rows and columns that go around an image.
    package func edges(
        height: Int, width: Int, window: Size2D, strides: Size2D, dilation: Size2D = 1
    ) -> EdgePadding {
        guard self == .same else { return .none }
        let rows = Self.total(height, window.height, strides.height, dilation.height)
        let columns = Self.total(width, window.width, strides.width, dilation.width)
        return EdgePadding(top: rows / 2, bottom: rows - rows / 2, left: columns / 2, right: columns - columns / 2)
    }

    private static func total(_ size: Int, _ window: Int, _ stride: Int, _ dilation: Int) -> Int {
        let extent = (window - 1) * dilation + 1
        return max(((size + stride - 1) / stride - 1) * stride + extent - size, 0)
    }
}

extension Size2D: ExpressibleByIntegerLiteral {
    /// The same along both axes: `kernelSize: 3`.
    public init(integerLiteral value: Int) { self.init(value) }

    /// Whether both are positive and no larger than any sensible image, so that sums and products stay in range.
    var isSensible: Bool { (1...Self.limit).contains(height) && (1...Self.limit).contains(width) }

    /// The largest window, stride or dilation that is accepted.
    package static let limit = 1 << 24
}

extension Layer {
    /// An NHWC input's shape, without its batch axis.
    static func image(_ inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try only(inputShapes)
        guard shape.rank == 3 else {
            throw GraftError(
                .shape,
                "\(className) needs an input of height, width and channels; it was given \(shape.batchDescription)")
        }
        return shape
    }
}
