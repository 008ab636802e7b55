import GraftGraph
import Testing

/// Operations that cannot be: each with the whole message.
@Suite struct ShapeRuleTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let operation: Operation
        let operands: [Shape]
        let message: String

        init(_ operation: Operation, _ operands: [Shape], _ message: String) {
            (self.operation, self.operands, self.message) = (operation, operands, message)
        }

        var testDescription: String { message }
    }

    private static let pool = Window(size: Size2D(3), strides: Size2D(1))
    private static let plainProduct = Operation.product(MatrixProduct())

    static let refusals: [Refusal] = [
        Refusal(.elementwise(.unary(.relu)), [], "operation relu: takes 1 operands, was given 0"),
        Refusal(
            .movement(.concatenation(axis: 0)), [],
            "operation concatenation: takes at least one operand, was given none"),
        Refusal(
            .leaf(.input("x", [-1, 2])), [], "operation input: the shape (-1, 2) has a negative size or is too large"),
        Refusal(
            .leaf(.input("x", [1 << 40, 1 << 40])), [],
            "operation input: the shape (1099511627776, 1099511627776) has a negative size or is too large"),
        Refusal(
            .leaf(.input("x", [0, .max, 4])), [],
            "operation input: the shape (0, 9223372036854775807, 4) has a negative size or is too large"),
        Refusal(
            .convolution(.forward(Convolution(), .none)), [[4, 4, 3], [1, 1, 3, 2]],
            "operation convolution: needs NHWC and HWIO, got (4, 4, 3) and (1, 1, 3, 2)"),
        Refusal(
            .convolution(.forward(Convolution(), .none)), [[1, 4, 4, 3], [1, 1, 4, 2]],
            "operation convolution: 3 input channels in 1 groups do not fit the kernel (1, 1, 4, 2)"),
        Refusal(
            .convolution(.forward(Convolution(groups: 0), .none)), [[1, 4, 4, 3], [1, 1, 3, 2]],
            "operation convolution: 3 input channels in 0 groups do not fit the kernel (1, 1, 3, 2)"),
        Refusal(
            .convolution(.forward(Convolution(), .none)), [[1, 2, 9, 3], [3, 3, 3, 2]],
            "a window of 3 with dilation 1 does not fit a size of 2 with padding 0 and 0; use a larger input"),
        Refusal(
            .convolution(.forward(Convolution(strides: Size2D(0)), .none)), [[1, 4, 4, 3], [3, 3, 3, 2]],
            "a window of 3 with stride 0, dilation 1 and padding 0 and 0 over a size of 4 is not possible"),
        Refusal(
            .convolution(.forward(Convolution(padding: EdgePadding(top: -1, bottom: 1)), .none)),
            [[1, 4, 4, 3], [3, 3, 3, 2]],
            "a window of 3 with stride 1, dilation 1 and padding -1 and 1 over a size of 4 is not possible"),
        Refusal(
            .convolution(.forward(Convolution(dilation: Size2D(.max)), .none)), [[1, 4, 4, 3], [3, 3, 3, 2]],
            "a window of 3 with dilation 9223372036854775807 does not fit a size of 4 with padding 0 and 0; use a larger "
                + "input"),
        Refusal(
            .convolution(.forward(Convolution(padding: EdgePadding(top: .max, bottom: .max)), .none)),
            [[1, 4, 4, 3], [1, 1, 3, 2]],
            "operation convolution: the result would have the shape (1, 9223372036854775807, 4, 2), which is too large"),
        Refusal(
            .convolution(.forward(Convolution(), Epilogue(bias: true))), [[1, 4, 4, 3], [1, 1, 3, 2], [3]],
            "an epilogue needs the shapes [(2,)], got [(3,)]"),
        Refusal(
            .convolution(.inputGradient(Convolution(), input: [1, 4, 4, 3])), [[1, 3, 4, 2], [1, 1, 3, 2]],
            "operation convolutionInputGradient: got the shape (1, 3, 4, 2), needs (1, 4, 4, 2)"),
        Refusal(
            .convolution(.kernelGradient(Convolution(), kernel: [1, 1, 3, 2])), [[1, 4, 4, 3], [1, 3, 4, 2]],
            "operation convolutionKernelGradient: got the shape (1, 3, 4, 2), needs (1, 4, 4, 2)"),
        Refusal(plainProduct, [[2, 3], [4, 5]], "operation matrixProduct: inner sizes 3 and 4 differ"),
        Refusal(plainProduct, [[3], [3, 5]], "operation matrixProduct: needs two matrices, got (3,) and (3, 5)"),
        Refusal(.pooling(.maxPooling(pool)), [[4, 4, 3]], "operation pooling: needs NHWC, got (4, 4, 3)"),
        Refusal(
            .pooling(.averagePooling(Window(size: Size2D(2), strides: Size2D(1), padding: EdgePadding(top: 2)))),
            [[1, 4, 4, 3]],
            "operation pooling: the padding must be smaller than the window (2, 2)"),
        Refusal(
            .pooling(.maxPoolingGradient(pool)), [[1, 4, 4, 3], [1, 4, 4, 3]],
            "operation maxPoolingGradient: got the shape (1, 4, 4, 3), needs (1, 2, 2, 3)"),
        Refusal(
            .pooling(.averagePoolingGradient(pool, input: [1, 4, 4, 3])), [[1, 4, 4, 3]],
            "operation averagePoolingGradient: got the shape (1, 4, 4, 3), needs (1, 2, 2, 3)"),
        Refusal(
            .elementwise(.binary(.add)), [[2, 3], [2]], "operation add: shapes (2, 3), (2,) do not broadcast together"),
        Refusal(
            .elementwise(.select), [[2], [3], []], "operation select: shapes (2,), (3,), () do not broadcast together"),
        Refusal(
            .elementwise(.fused(ElementwiseProgram(operandCount: 1, instructions: [.unary(.relu, 1)]))), [[2]],
            "operation elementwise: the program reads a register before it is written"),
        Refusal(
            .reduction(Reduction(.sum, axes: [0, 0])), [[2, 3]],
            "operation sumReduction: axes [0, 0] are not distinct axes of (2, 3)"),
        Refusal(
            .reduction(Reduction(.mean, axes: [2])), [[2, 3]],
            "operation meanReduction: axes [2] are not distinct axes of (2, 3)"),
        Refusal(.movement(.broadcast([3])), [[2, 3]], "operation broadcast: got the shape (3,), needs (2, 3)"),
        Refusal(.movement(.broadcast([4])), [[3]], "operation broadcast: got the shape (4,), needs one that fits"),
        Refusal(.movement(.reshape([5])), [[2, 3]], "operation reshape: (2, 3) has 6 elements, (5,) 5"),
        Refusal(
            .movement(.pad(before: [-1, 0], after: [0, 0])), [[2, 3]],
            "operation pad: pads [-1, 0] and [0, 0] do not fit (2, 3)"),
        Refusal(
            .movement(.pad(before: [.max, 0], after: [.max, 0])), [[2, 3]],
            "operation pad: the result would have the shape (9223372036854775807, 3), which is too large"),
        Refusal(
            .movement(.slice(start: [1, 0], [2, 3])), [[2, 3]],
            "operation slice: the part of shape (2, 3) at [1, 0] is not inside (2, 3)"),
        Refusal(
            .movement(.slice(start: [.max, 0], [2, 3])), [[2, 3]],
            "operation slice: the part of shape (2, 3) at [9223372036854775807, 0] is not inside (2, 3)"),
        Refusal(.movement(.concatenation(axis: 2)), [[2, 3]], "operation concatenation: (2, 3) has no axis 2"),
        Refusal(
            .movement(.concatenation(axis: 0)), [[2, 3], [2, 4]],
            "operation concatenation: (2, 4) does not join (2, 3) along axis 0"),
        Refusal(
            .movement(.concatenation(axis: 0)), [[2, 3], [2]], "operation concatenation: (2,) does not join (2, 3)"),
        Refusal(.softmax(.softmax), [[]], "operation softmax: needs at least one axis"),
    ]

    static let customRefusals: [Refusal] = [
        Refusal(
            custom(Permutation(axes: [0, 0])), [[2, 3]],
            "operation permutation: axes [0, 0] are not the axes of (2, 3) in another order"),
        Refusal(
            custom(BatchedMatrixProduct()), [[2, 3, 4], [3, 4, 5]],
            "operation batchedMatrixProduct: needs matrices with the same axes before them, got (2, 3, 4) and (3, 4, 5)"
        ),
        Refusal(
            custom(BatchedMatrixProduct()), [[2, 3, 4], [2, 3, 4]],
            "operation batchedMatrixProduct: inner sizes 4 and 3 differ"),
        Refusal(custom(Gather(axis: 2)), [[2, 3], [1]], "operation gather: (2, 3) has no axis 2"),
        Refusal(
            custom(ScatterAdd(axis: 0, size: 4)), [[3], [2, 3]],
            "operation scatterAdd: updates of shape (2, 3) have not the indices' axes (3,) from axis 0"),
        Refusal(custom(TopK(4, .values)), [[2, 3]], "operation topK: (2, 3) has not 4 numbers along its last axis"),
    ]

    private static func custom(_ rule: any OperationRule) -> Operation { .custom(AnyCustomOperation(rule)) }

    @Test(arguments: refusals + customRefusals)
    func whatDoesNotFitIsRefused(refusal: Refusal) {
        #expect {
            try refusal.operation.resultShape(refusal.operands)
        } throws: {
            ($0 as? GraftError)?.code == .shape && "\($0)" == refusal.message
        }
    }
}
