/// How convolutions and pooling walk over an image.

/// A pair of numbers, for the vertical and the horizontal axis.
public struct Size2D: Hashable, Sendable, CustomStringConvertible {
    /// Along the height.
    public var height: Int
    /// Along the width.
    public var width: Int
    /// A size.
    public init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }
    /// The same along both axes.
    public init(_ both: Int) { self.init(both, both) }
    /// As Keras prints it.
    public var description: String { "(\(height), \(width))" }
}

/// Rows and columns added around an image.
public struct EdgePadding: Hashable, Sendable {
    /// Rows above.
    public var top: Int
    /// Rows below.
    public var bottom: Int
    /// Columns to the left.
    public var left: Int
    /// Columns to the right.
    public var right: Int
    /// A padding of these sizes.
    public init(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) {
        (self.top, self.bottom, self.left, self.right) = (top, bottom, left, right)
    }
    /// None at all.
    public static let none = EdgePadding()
}

/// How many windows of a size fit along an axis.
func windowCount(
    _ size: Int, _ before: Int, _ after: Int, window: Int, dilation: Int, stride: Int
) throws(GraftError) -> Int {
    guard size > 0, window > 0, dilation > 0, stride > 0, before >= 0, after >= 0 else {
        throw GraftError(
            .shape,
            "a window of \(window) with stride \(stride), dilation \(dilation) and padding \(before) and \(after) "
                + "over a size of \(size) is not possible")
    }
    let (reach, overflow) = dilation.multipliedReportingOverflow(by: window - 1)
    let padded = saturatingSum(before, size, after)
    guard !overflow, padded > reach else {
        throw GraftError(
            .shape,
            "a window of \(window) with dilation \(dilation) does not fit a size of \(size) with padding \(before) and "
                + "\(after); use a larger input")
    }
    return (padded - reach - 1) / stride + 1
}

/// The sum of sizes, or the largest `Int` where it would overflow; `Shape.isValid` refuses such a size.
func saturatingSum(_ sizes: Int...) -> Int {
    var sum = 0
    for size in sizes {
        let (next, overflow) = sum.addingReportingOverflow(size)
        guard !overflow else { return .max }
        sum = next
    }
    return sum
}
