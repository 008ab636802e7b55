internal import CKernels
internal import COneDNN

/// A convolution with all its sizes.
struct ConvolutionGeometry: CustomStringConvertible {
    let convolution: Convolution
    let input: Shape
    let kernel: Shape
    let output: Shape
    var types = ConvolutionTypes()
    /// Whether oneDNN's older, direct code may be taken; see ``prefersDirectCode``.
    var allowsDirectCode = true

    /// Whether some window is all padding.
    var hasEmptyWindows: Bool {
        let (strides, dilation, padding) = (convolution.strides, convolution.dilation, convolution.padding)
        return Self.hasEmptyWindows(
            output[1], strides.height, dilation.height, kernel[0], before: padding.top, size: input[1])
            || Self.hasEmptyWindows(
                output[2], strides.width, dilation.width, kernel[1], before: padding.left, size: input[2])
    }

    private static func hasEmptyWindows(
        _ count: Int, _ stride: Int, _ dilation: Int, _ kernel: Int, before: Int, size: Int
    ) -> Bool {
        (0..<count).contains { window in
            !(0..<kernel).contains { (0..<size).contains(window * stride - before + $0 * dilation) }
        }
    }

    /// The convolution of the output's gradient with rotated weights that gives the input's gradient: over a fully padded output,
    /// with channels swapped. `nil` where strides are larger than one, or padding is larger than a window.
    var rotated: ConvolutionGeometry? {
        let (dilation, padding) = (convolution.dilation, convolution.padding)
        let (rows, columns) = (dilation.height * (kernel[0] - 1), dilation.width * (kernel[1] - 1))
        let rest = EdgePadding(
            top: rows - padding.top, bottom: rows - padding.bottom, left: columns - padding.left,
            right: columns - padding.right)
        // A kernel of one pixel gains nothing.
        guard convolution.groups == 1, convolution.strides == Size2D(1), types.plain == .float32,
            kernel[0] * kernel[1] > 1, min(rest.top, rest.bottom, rest.left, rest.right) >= 0
        else { return nil }
        return ConvolutionGeometry(
            convolution: Convolution(dilation: dilation, padding: rest), input: output,
            kernel: [kernel[0], kernel[1], kernel[3], kernel[2]], output: input,
            types: ConvolutionTypes(input: types.output, kernel: types.kernel, output: types.input, plain: types.plain),
            allowsDirectCode: allowsDirectCode)
    }

    /// Whether oneDNN's older, direct code is faster: in bfloat16, for a row or a column over much padding, which that code skips;
    /// for three input channels; and for 1 × 1 with many channels. See `Benchmarks/notebook`, direct code by shape.
    private var prefersDirectCode: Bool {
        guard allowsDirectCode, types.input == .bfloat16, types.kernel == .bfloat16, convolution.groups == 1 else {
            return false
        }
        if kernel[0] == 1 && kernel[1] == 1 { return convolution.strides == Size2D(1) && kernel[2] >= 512 }
        return kernel[2] < 16 || (kernel[0] == 1 || kernel[1] == 1) && coversMuchPadding
    }

    /// Whether at least a fifth of all windows is padding.
    var coversMuchPadding: Bool { shareOfImage < 0.8 }

    /// The share of all windows that lies inside of the image.
    private var shareOfImage: Double {
        let (strides, dilation, padding) = (convolution.strides, convolution.dilation, convolution.padding)
        let rows = Self.coveredCount(
            output[1], strides.height, dilation.height, kernel[0], before: padding.top, size: input[1])
        let columns = Self.coveredCount(
            output[2], strides.width, dilation.width, kernel[1], before: padding.left, size: input[2])
        return Double(rows * columns) / Double(output[1] * output[2] * kernel[0] * kernel[1])
    }

    private static func coveredCount(
        _ count: Int, _ stride: Int, _ dilation: Int, _ kernel: Int, before: Int, size: Int
    ) -> Int {
        (0..<count).reduce(0) { sum, window in
            sum + (0..<kernel).count { (0..<size).contains(window * stride - before + $0 * dilation) }
        }
    }

    /// As Graft's own kernels take it.
    var sizes: graft_geometry {
        graft_geometry(
            batch: Int64(input[0]), input_height: Int64(input[1]), input_width: Int64(input[2]),
            input_channels: Int64(input[3]), output_height: Int64(output[1]), output_width: Int64(output[2]),
            output_channels: Int64(output[3]), kernel_height: Int64(kernel[0]), kernel_width: Int64(kernel[1]),
            stride_height: Int64(convolution.strides.height), stride_width: Int64(convolution.strides.width),
            dilation_height: Int64(convolution.dilation.height), dilation_width: Int64(convolution.dilation.width),
            padding_top: Int64(convolution.padding.top), padding_left: Int64(convolution.padding.left))
    }

    /// As oneDNN takes it.
    var shim: graft_dnn_convolution {
        graft_dnn_convolution(
            choice: prefersDirectCode ? graft_dnn_direct_choice : graft_dnn_first_choice, input_type: types.input.shim,
            kernel_type: types.kernel.shim, output_type: types.output.shim,
            plain_kernel_type: types.plain.shim, batch: Int64(input[0]), groups: Int64(convolution.groups),
            input_height: Int64(input[1]), input_width: Int64(input[2]), input_channels: Int64(input[3]),
            output_height: Int64(output[1]), output_width: Int64(output[2]), output_channels: Int64(output[3]),
            kernel_height: Int64(kernel[0]), kernel_width: Int64(kernel[1]),
            stride_height: Int64(convolution.strides.height), stride_width: Int64(convolution.strides.width),
            dilation_height: Int64(convolution.dilation.height), dilation_width: Int64(convolution.dilation.width),
            padding_top: Int64(convolution.padding.top), padding_bottom: Int64(convolution.padding.bottom),
            padding_left: Int64(convolution.padding.left), padding_right: Int64(convolution.padding.right),
            input_pixel_stride: Int64(input[3]), output_pixel_stride: Int64(output[3]),
            kernel_pixel_stride: Int64(kernel[3]))
    }

    var description: String {
        "\(types.input.rawValue) input \(input), kernel \(kernel), output \(output), strides \(convolution.strides), "
            + "dilation \(convolution.dilation), \(convolution.groups) groups"
    }
}
