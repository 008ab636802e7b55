import GraftGraph
import GraftTestSupport
import KerasFixtures
import Testing

@testable import GraftLearning

/// Focal, hinge and Huber losses, and all losses' gradients.
@Suite struct LossGradientTests {
    /// Float64 against Keras's float32: its rounding, relative to the value and to the largest gradient.
    @Test(arguments: LearningFixture.shared.losses)
    func valueAndGradientEqualKeras(_ expected: KerasFixture.LossCase) throws {
        let run = try LossRun(makeLoss(expected.loss, expected.arguments), expected)
        let (value, gradient) = try run.valueAndGradient(ReferenceArray(run.inputs))
        expectClose([Float(value)], [Float(expected.value)], tolerance: 2e-6, "the loss")
        expectClose(gradient.map { Float($0) }, expected.gradient, tolerance: 5e-6, "the gradient")
    }

    /// Central differences in 64 bits, with a step of 1e-6: errors of 1e-10 from rounding and of 1e-12 times the third
    /// derivative, and 32-bit constants. Elements where the loss has a kink within the step are left out.
    @Test(arguments: LearningFixture.shared.losses + KerasFixture.shared.losses)
    func gradientEqualsFiniteDifferences(_ expected: KerasFixture.LossCase) throws {
        let run = try LossRun(makeLoss(expected.loss, expected.arguments), expected)
        let point = ReferenceArray(run.inputs)
        let gradient = try run.valueAndGradient(point).gradient
        let scale = max(gradient.map(abs).max() ?? 0, 1e-3)
        for index in point.values.indices {
            let (value, left, right) = (point.values[index], try at(index, -1e-6), try at(index, 1e-6))
            // Where both one-sided slopes differ, the point is a kink or a clipped end.
            let middle = try at(index, 0)
            guard abs((right - middle) - (middle - left)) < 1e-8 * scale else { continue }
            let slope = (right - left) / 2e-6
            #expect(abs(slope - gradient[index]) <= 1e-5 * scale, "element \(index), which is \(value)")
        }

        func at(_ index: Int, _ distance: Double) throws -> Double {
            var moved = point
            moved.values[index] += distance
            return try run.valueAndGradient(moved).value
        }
    }

    @Test func focalLossOfAHalfIsAQuarterOfTheLogarithmOfTwo() throws {
        // p = pₜ = ½: (1 − ½)² · ln 2.
        let value = try mean(.binaryFocalCrossentropy(), [0.5], [1, 1], [1], [1, 1])
        #expect(abs(value - 0.25 * 0.693_147_180_6) < 1e-7)
    }

    @Test func hingeTakesZerosAndOnesForSigns() throws {
        #expect(try mean(.hinge, [0.5, 0.5], [2, 1], [1, -1], [2, 1]) == 1)
        #expect(try mean(.hinge, [0.5, 0.5], [2, 1], [1, 0], [2, 1]) == 1)
        #expect(try mean(.squaredHinge, [0.5, 0.5], [2, 1], [1, 0], [2, 1]) == 1.25)
        // A target that is neither leaves the zeros as they are.
        #expect(try mean(.hinge, [0.5, 0.5], [2, 1], [-1, 0], [2, 1]) == 1.25)
    }

    @Test func categoricalHingeComparesTheBestWrongWithTheRight() throws {
        #expect(try mean(.categoricalHinge, [0.25, 1, 0.5], [1, 3], [1, 0, 0], [1, 3]) == 1.75)
        #expect(try mean(.categoricalHinge, [3, 1, 0.5], [1, 3], [1, 0, 0], [1, 3]) == 0)
    }

    @Test func huberIsAParabolaInsideAndALineBeyond() throws {
        #expect(try mean(.huber(delta: 2), [1], [1, 1], [0], [1, 1]) == 0.5)
        #expect(try mean(.huber(delta: 2), [5], [1, 1], [0], [1, 1]) == 8)
        #expect(try mean(.meanAbsoluteError, [5, -1], [1, 2], [0, 0], [1, 2]) == 3)
    }

    @Test func aLossOfRowsTakesClassNumbers() throws {
        let rows: Loss = .categoricalCrossentropy(labelSmoothing: 0.1)
        let predictions: [Float] = [0.2, 0.3, 0.5, 0.6, 0.3, 0.1]
        let expected = try mean(rows, predictions, [2, 3], [0, 0, 1, 1, 0, 0], [2, 3])
        #expect(try mean(rows.takingClassNumbers(), predictions, [2, 3], [2, 0], [2]) == expected)
    }

    @Test func weightsMultiplyAndTheNumberOfExamplesDivides() throws {
        let scope = GraphScope()
        let predictions = try scope.constant(Tensor([1, 2, 3], shape: [3, 1]))
        let weights = try scope.constant(Tensor([2, 0, 1], shape: [3]))
        let mean = try Loss.meanAbsoluteError.mean(
            predictions, scope.constant(Tensor(zeros: [3, 1])), weights: weights)
        scope.graph.outputs = [mean.id]
        // (2 · 1 + 0 · 2 + 1 · 3) / 3
        let received = try Interpreter.run(scope.graph).outputs[0].values[0]
        #expect(abs(received - 5.0 / 3) < 1e-12)
    }

    private func mean(
        _ loss: Loss, _ predictions: [Float], _ shape: Shape, _ targets: [Float], _ targetShape: Shape
    ) throws -> Double {
        let scope = GraphScope()
        let mean = try loss.mean(
            scope.constant(Tensor(predictions, shape: shape)), scope.constant(Tensor(targets, shape: targetShape)))
        scope.graph.outputs = [mean.id]
        return try Interpreter.run(scope.graph).outputs[0].values[0]
    }
}

/// A loss behind an activation, with its gradient with respect to what goes in.
private struct LossRun {
    let inputs: Tensor
    private let targets: Tensor
    private let graph: Graph

    init(_ loss: Loss, _ expected: KerasFixture.LossCase) throws {
        inputs = Tensor(expected.inputs, shape: Shape(expected.shape))
        targets = Tensor(expected.targets, shape: Shape(expected.targetShape))
        let scope = GraphScope()
        let source = try scope.input("source", inputs.shape)
        let predictions =
            switch expected.activation {
            case "sigmoid": try source.unary(.sigmoid)
            case "softmax": try source.softmax()
            default: source
            }
        let mean = try loss.mean(predictions, scope.input("targets", targets.shape))
        let gradients = try scope.graph.gradients(of: mean.id, withRespectTo: [source.id])
        scope.graph.outputs = [mean.id] + gradients
        graph = scope.graph
    }

    func valueAndGradient(_ inputs: ReferenceArray) throws -> (value: Double, gradient: [Double]) {
        let results = try Interpreter.run(graph, inputs: ["source": inputs, "targets": ReferenceArray(targets)])
        return (results.outputs[0].values[0], results.outputs[1].values)
    }
}
