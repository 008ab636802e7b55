import GraftGraph
import GraftTestSupport
import KerasFixtures
import Testing

@testable import GraftLearning

@Suite struct OptimizerTests {
    /// Ten steps in float64 against Keras's in float32: rounding of ten steps, relative to the largest value.
    @Test(arguments: KerasFixture.shared.optimizers)
    func tenStepsEqualKeras(_ expected: KerasFixture.OptimizerCase) throws {
        let optimizer = try makeOptimizer(expected.optimizer, expected.arguments)
        let values = try run(optimizer, from: expected.start, expected.gradients)
        for (step, (value, wanted)) in zip(values, expected.values).enumerated() {
            expectClose(value, wanted, tolerance: 2e-6, "step \(step + 1)")
        }
    }

    @Test func namesMeanKerassDefaults() throws {
        for name in OptimizerName.allCases {
            let optimizer = name.optimizer(
                learningRate: 0.25, settings: OptimizerSettings(stateType: .bfloat16))
            #expect(optimizer.name == (name == .amsgrad ? "adam" : name.rawValue))
            #expect(optimizer.settings.stateType == .bfloat16)
            #expect(optimizer.learningRate.rate(at: 0) == 0.25)
        }
        #expect((OptimizerName.amsgrad.optimizer(learningRate: 1) as? Adam)?.amsgrad == true)
        #expect((OptimizerName.adam.optimizer(learningRate: 1) as? Adam)?.amsgrad == false)
    }

    @Test func plainDescentSubtractsTheRateTimesTheGradient() throws {
        let values = try run(SGD(learningRate: 0.5), from: [1, 2], [[2, -4], [1, 0]])
        #expect(values == [[0, 4], [-0.5, 4]])
    }

    @Test func momentumGoesOnWithoutAGradient() throws {
        let values = try run(SGD(learningRate: 1, momentum: 0.5), from: [0], [[-1], [0], [0]])
        #expect(values == [[1], [1.5], [1.75]])
    }

    @Test func epsilonStandsInsideTheRootOfRMSprop() throws {
        // v = 0.1 · 4² + 0.9 = 2.5 with ε = 0.9; w = 0 − 1 · 4 / √2.5.
        let values = try run(RMSprop(learningRate: 1, rho: 0.9, epsilon: 0.9), from: [0], [[4]])
        expectClose(values[0], [-2.529_822_1], tolerance: 1e-6, "w")
    }

    @Test func adamsFirstStepIsTheLearningRate() throws {
        // m̂ = g and v̂ = g², so that the change is η · g / |g| but for ε.
        let values = try run(Adam(learningRate: 0.1), from: [1, 1], [[3, -0.5]])
        expectClose(values[0], [0.9, 1.1], tolerance: 1e-5, "w")
    }

    @Test(arguments: [
        (SGD(learningRate: -1) as any Optimizer, "the learning rate of SGD is -1.0; it must be at least 0.0"),
        (SGD(momentum: 1.5), "the momentum of SGD is 1.5; it must be 0.0 to 1.0"),
        (RMSprop(rho: 2), "rho of RMSprop is 2.0; it must be 0.0 to 1.0"),
        (RMSprop(learningRate: .constant(.nan)), "the learning rate of RMSprop is nan; it must be at least 0.0"),
        (Adam(epsilon: -1e-7), "epsilon of Adam is -1e-07; it must be at least 0.0"),
    ])
    func argumentOutOfRangeThrows(_ optimizer: any Optimizer, message: String) {
        #expect { try optimizer.validate() } throws: { ($0 as? GraftError)?.message == message }
    }

    /// The values after each step, all of it on the interpreter.
    private func run(_ optimizer: any Optimizer, from start: [Float], _ gradients: [[Float]]) throws -> [[Float]] {
        let scope = GraphScope()
        let shape: Shape = [start.count]
        let slots = try optimizer.slots.indices.map { try scope.variable(VariableID($0 + 1), shape) }
        let variable = OptimizedVariable(
            value: try scope.variable(VariableID(0), shape), gradient: try scope.input("gradient", shape), slots: slots)
        let step = OptimizerStep(learningRate: try scope.input("rate", []), number: try scope.input("step", []))
        let update = try optimizer.update(variable, step: step)
        #expect(update.slots.count == optimizer.slots.count)
        scope.graph.updates = ([update.value] + update.slots).enumerated().map {
            Graph.Update(variable: VariableID($0.offset), value: $0.element.id)
        }
        var values = [VariableID(0): ReferenceArray(Tensor(start, shape: shape))]
        for (index, slot) in optimizer.slots.enumerated() {
            values[VariableID(index + 1)] = ReferenceArray(repeating: Double(slot.initialValue), shape: shape)
        }
        return try gradients.enumerated().map { number, gradient in
            let inputs = [
                "gradient": ReferenceArray(Tensor(gradient, shape: shape)),
                "rate": ReferenceArray(Double(optimizer.learningRate.rate(at: number))),
                "step": ReferenceArray(Double(number + 1)),
            ]
            values = try Interpreter.run(scope.graph, inputs: inputs, variables: values).updates
            return try #require(values[VariableID(0)]).tensor.scalars
        }
    }
}
