import GraftGraph
import GraftTestSupport
import KerasFixtures
import Testing

@testable import GraftLearning

@Suite struct LossTests {
    /// Float64 against Keras's float32: its rounding, relative to the value and to the largest gradient.
    @Test(arguments: KerasFixture.shared.losses)
    func valueAndGradientEqualKeras(_ expected: KerasFixture.LossCase) throws {
        let loss = try makeLoss(expected.loss, expected.arguments)
        let inputs = Tensor(expected.inputs, shape: Shape(expected.shape))
        let targets = Tensor(expected.targets, shape: Shape(expected.targetShape))
        let (value, gradient) = try run(loss, expected.activation, inputs, targets)
        expectClose([Float(value)], [Float(expected.value)], tolerance: 1e-6, "the loss")
        expectClose(gradient, expected.gradient, tolerance: 2e-6, "the gradient")
    }

    @Test func binaryCrossentropyOfAHalfIsTheLogarithmOfTwo() throws {
        let (value, gradient) = try run(
            .binaryCrossentropy, "sigmoid", Tensor([0], shape: [1, 1]), Tensor([1], shape: [1]))
        #expect(abs(value - 0.693_147_180_6) < 1e-9)
        #expect(gradient == [-0.5])
    }

    @Test func meanSquaredErrorIsTheMeanOfSquares() throws {
        let (value, gradient) = try run(
            .meanSquaredError, "linear", Tensor([1, 2, 3, 4], shape: [2, 2]), Tensor([0, 2, 5, 4], shape: [2, 2]))
        #expect(value == 1.25)
        #expect(gradient == [0.5, 0, -1, 0])
    }

    @Test func targetsOfAnotherShapeThrow() throws {
        #expect {
            try run(.categoricalCrossentropy, "linear", Tensor(zeros: [2, 3]), Tensor(zeros: [2]))
        } throws: {
            ($0 as? GraftError)?.message
                == "targets of shape (2,) do not fit predictions of shape (2, 3); this loss expects targets of shape "
                + "(2, 3)"
        }
    }

    @Test func aLossOfYourOwnIsAFormula() throws {
        let absolute = Loss("absolute") { predictions, targets in try (predictions - targets).unary(.absolute) }
        let (value, _) = try run(absolute, "linear", Tensor([1, -2], shape: [2, 1]), Tensor([0, 1], shape: [2, 1]))
        #expect(value == 2)
    }

    /// The mean loss and its gradient with respect to what goes into the activation.
    private func run(
        _ loss: Loss, _ activation: String, _ inputs: Tensor, _ targets: Tensor
    ) throws -> (value: Double, gradient: [Float]) {
        let scope = GraphScope()
        let source = try scope.input("source", inputs.shape)
        let predictions =
            switch activation {
            case "sigmoid": try source.unary(.sigmoid)
            case "softmax": scope[try scope.graph.softmax(source.id)]
            default: source
            }
        let mean = try loss.mean(predictions, scope.input("targets", targets.shape))
        let gradients = try scope.graph.gradients(of: mean.id, withRespectTo: [source.id])
        scope.graph.outputs = [mean.id] + gradients
        let results = try Interpreter.run(
            scope.graph, inputs: ["source": ReferenceArray(inputs), "targets": ReferenceArray(targets)])
        return (results.outputs[0].values[0], results.outputs[1].tensor.scalars)
    }
}
