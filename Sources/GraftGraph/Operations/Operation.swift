/// What a machine runs. A small closed set: layers lower to it, its gradients are made of it, backends implement it.
///
/// Every operation has one result. The operands of each, in order, stand beside its case; `?` marks those that an
/// ``Epilogue`` adds. Shape rules stand once, in `Operation+Shape.swift`; gradients in `Differentiation`.
public enum Operation: Hashable, Sendable {
    // MARK: Leaves, without operands

    /// A value given at each run, by name.
    case input(String, Shape)
    /// A variable's value at the start of the run.
    case variable(VariableID, Shape)
    /// A fixed array.
    case constant(Tensor)
    /// Uniform random numbers in [0, 1), from the run's random key and this stream number: see ``RandomStream``.
    case randomUniform(stream: UInt64, Shape)

    // MARK: Convolution: activations NHWC, kernels HWIO

    /// `input, kernel, bias?, addend?`. Depthwise where `groups` equals the input's channels.
    case convolution(Convolution, Epilogue)
    /// `outputGradient, kernel`: the gradient with respect to the input, whose shape is given.
    case convolutionInputGradient(Convolution, input: Shape)
    /// `input, outputGradient`: the gradient with respect to the kernel, whose shape is given.
    case convolutionKernelGradient(Convolution, kernel: Shape)

    // MARK: Matrices

    /// `left, right, bias?, addend?`, matrices of rank 2, each transposed first where its flag says so.
    case matrixProduct(transposeLeft: Bool, transposeRight: Bool, Epilogue)

    // MARK: Pooling

    /// `input`: the largest of each window; padding never wins.
    case maxPooling(Window)
    /// `input, outputGradient`: each gradient goes to the first largest element of its window, in row-major order.
    case maxPoolingGradient(Window)
    /// `input`: the mean of each window's elements that are not padding.
    case averagePooling(Window)
    /// `outputGradient`: spread evenly over the elements of each window that are not padding.
    case averagePoolingGradient(Window, input: Shape)

    // MARK: Elementwise

    /// `operand`
    case unary(UnaryFunction)
    /// `left, right`, broadcast as numpy does.
    case binary(BinaryFunction)
    /// `condition, whenTrue, whenFalse`, broadcast; a condition holds where it is not zero.
    case select
    /// A chain of the three above in one pass over memory: see ``ElementwiseProgram``.
    case elementwise(ElementwiseProgram)

    // MARK: Shape and reduction

    /// `operand`: reduced over the axes, which stay with size 1.
    case reduction(ReductionFunction, axes: [Int])
    /// `operand`: the same numbers, rounded to another element type.
    case cast(ElementType)
    /// `operand`: the same numbers, rounded to bfloat16 up or down by chance, from the run's random key and this stream
    /// number: see ``StochasticRounding``.
    case stochasticRounding(stream: UInt64)
    /// `operand`: repeated to the shape, by numpy's rule.
    case broadcast(Shape)
    /// `operand`: the same elements in row-major order under another shape.
    case reshape(Shape)
    /// `operand`: zeros before and after each axis.
    case pad(before: [Int], after: [Int])
    /// `operand`: the part that begins at `start` and has the sizes `shape`.
    case slice(start: [Int], Shape)
    /// `operands…`: joined along one axis.
    case concatenation(axis: Int)
    /// `operand`: softmax over the last axis.
    case softmax
    /// `operand`: the logarithm of softmax over the last axis, stable.
    case logSoftmax
}

/// Names a variable across graphs; unique among the variables of one graph.
public struct VariableID: Hashable, Sendable, Comparable {
    /// The number.
    public let rawValue: Int
    /// The variable with this number.
    public init(_ rawValue: Int) { self.rawValue = rawValue }
    /// By number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

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

/// How a convolution walks over its input.
public struct Convolution: Hashable, Sendable {
    /// The step between outputs.
    public var strides: Size2D
    /// The distance between the kernel's elements; 1 is a plain convolution.
    public var dilation: Size2D
    /// Zeros around the input.
    public var padding: EdgePadding
    /// The number of independent convolutions the channels are divided into.
    public var groups: Int
    /// A convolution with these attributes.
    public init(
        strides: Size2D = Size2D(1), dilation: Size2D = Size2D(1), padding: EdgePadding = .none, groups: Int = 1
    ) {
        (self.strides, self.dilation, self.padding, self.groups) = (strides, dilation, padding, groups)
    }
}

/// How pooling walks over its input.
public struct Window: Hashable, Sendable {
    /// The window's size.
    public var size: Size2D
    /// The step between windows.
    public var strides: Size2D
    /// Rows and columns around the input that windows may cover but that count for nothing.
    public var padding: EdgePadding
    /// A window with these attributes.
    public init(size: Size2D, strides: Size2D, padding: EdgePadding = .none) {
        (self.size, self.strides, self.padding) = (size, strides, padding)
    }
}

/// What a convolution or matrix product does to its result before writing it: `activation(result + bias + addend)`.
///
/// Only passes set one; layers lower to plain operations.
public struct Epilogue: Hashable, Sendable {
    /// Whether an operand of shape [channels] is added.
    public var bias: Bool
    /// Whether an operand of the result's shape is added.
    public var addend: Bool
    /// What is applied last.
    public var activation: FusedActivation?
    /// An epilogue of these parts.
    public init(bias: Bool = false, addend: Bool = false, activation: FusedActivation? = nil) {
        (self.bias, self.addend, self.activation) = (bias, addend, activation)
    }
    /// Nothing but the result.
    public static let none = Epilogue()
    /// The number of operands it adds.
    public var operandCount: Int { (bias ? 1 : 0) + (addend ? 1 : 0) }
}

/// The activations that backends can apply while writing a result.
public enum FusedActivation: Hashable, Sendable {
    /// max(x, 0)
    case relu
    /// min(max(x, 0), 6)
    case relu6
    /// 1 / (1 + exp(−x))
    case sigmoid
    /// tanh(x)
    case tanh
}

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

/// Functions of two numbers; comparisons give 1 or 0.
public enum BinaryFunction: Hashable, Sendable, CaseIterable {
    /// a + b
    case add
    /// a − b
    case subtract
    /// a · b
    case multiply
    /// a / b
    case divide
    /// The larger.
    case maximum
    /// The smaller.
    case minimum
    /// aᵇ
    case power
    /// a > b
    case greater
    /// a ≥ b
    case greaterOrEqual
    /// a = b
    case equal
}

/// Functions of many numbers.
public enum ReductionFunction: Hashable, Sendable, CaseIterable {
    /// The sum.
    case sum
    /// The mean.
    case mean
    /// The largest.
    case maximum
}
