/// Convolutions, matrix products and pooling.
extension Graph {
    /// A convolution.
    ///
    /// - Parameters:
    ///   - input: activations, NHWC.
    ///   - kernel: HWIO, where I is the input's channels divided by the groups. Depthwise: I = 1 and as many groups as
    ///     channels.
    ///   - convolution: strides, dilation, padding, groups.
    /// - Returns: NHWC, see ``Convolution/resultShape(input:kernel:)``.
    public mutating func convolution(
        _ input: ValueID, kernel: ValueID, _ convolution: Convolution = Convolution()
    ) throws(GraftError) -> ValueID {
        try add(.convolution(convolution, .none), [input, kernel])
    }

    /// The product of two matrices, each transposed first where its flag says so.
    public mutating func matrixProduct(
        _ left: ValueID, _ right: ValueID, transposeLeft: Bool = false, transposeRight: Bool = false
    ) throws(GraftError) -> ValueID {
        try add(.matrixProduct(transposeLeft: transposeLeft, transposeRight: transposeRight, .none), [left, right])
    }

    /// The largest element of each window of an NHWC value; padding never wins.
    public mutating func maxPool(_ input: ValueID, _ window: Window) throws(GraftError) -> ValueID {
        try add(.maxPooling(window), [input])
    }

    /// The mean of each window of an NHWC value, over the elements that are not padding.
    public mutating func averagePool(_ input: ValueID, _ window: Window) throws(GraftError) -> ValueID {
        try add(.averagePooling(window), [input])
    }
}
