import GraftGraph
import GraftTestSupport
import KerasFixtures
import Testing

@testable import GraftLearning

@Suite struct OptimizerSettingsTests {
    /// Ten steps of a kernel and a bias in float64 against Keras's in float32, relative to the largest value: rounding of
    /// ten steps. Adam's 1 − β₂ᵗ alone is off by 3e-5 there, which at a rate of 0.1 moves a value by 2e-6 at each step.
    @Test(arguments: LearningFixture.shared.optimizers)
    func tenStepsEqualKeras(_ expected: LearningFixture.OptimizerCase) throws {
        let schedule = try expected.schedule.map { try makeSchedule($0.name, $0.arguments) }
        let optimizer = try makeOptimizer(
            expected.optimizer, expected.arguments, exclude: expected.exclude ?? [], schedule: schedule)
        try optimizer.validate()
        var run = try StepRun(optimizer, ["kernel": [-1, -0.5, 0, 0.5, 1], "bias": [0.5, 0, -0.5]])
        for (step, (gradients, wanted)) in zip(LearningFixture.shared.gradients, expected.values).enumerated() {
            try run.step(gradients)
            for (index, part) in ["kernel", "bias"].enumerated() {
                expectClose(run.values[index], wanted[index], tolerance: 1e-5, "\(part) after step \(step + 1)")
            }
        }
        for (index, average) in (expected.averages ?? []).enumerated() {
            expectClose(run.averages[index], average, tolerance: 1e-5, "average \(index)")
        }
    }

    // MARK: By hand

    @Test func weightsDecayBeforeTheStepAndExcludedOnesDoNot() throws {
        let settings = OptimizerSettings(
            weightDecay: 0.5, excludedFromWeightDecay: OptimizerSettings.biasesAndNormalization)
        var run = try StepRun(SGD(learningRate: 0.5, settings: settings), ["kernel": [4], "bias": [4]])
        try run.step([[2], [2]])
        #expect(run.values == [[2], [3]])
    }

    @Test func clippingBoundsElementsNormsAndTheNormOfAll() throws {
        func change(_ clipping: GradientClipping) throws -> [[Float]] {
            let optimizer = SGD(learningRate: 1, settings: OptimizerSettings(clipping: clipping))
            var run = try StepRun(optimizer, ["kernel": [0, 0], "bias": [0]])
            try run.step([[-3, 4], [12]])
            return run.values
        }
        #expect(try change(.value(3.5)) == [[3, -3.5], [-3.5]])
        #expect(try change(.norm(10)) == [[3, -4], [-10]])
        // The norm of (3, 4, 12) is 13.
        #expect(try change(.globalNorm(6.5)) == [[1.5, -2], [-6]])
        #expect(try change(.globalNorm(20)) == [[3, -4], [-12]])
    }

    @Test func accumulationAveragesAndRestsBetween() throws {
        var run = try StepRun(SGD(learningRate: 1, settings: OptimizerSettings(accumulationSteps: 2)), ["kernel": [1]])
        let values = try [[2], [4], [6]].map { (gradient: [Float]) -> [Float] in
            try run.step([gradient])
            return run.values[0]
        }
        #expect(values == [[1], [-2], [-2]])
    }

    @Test func theAverageBeginsAsTheFirstValueAndOverwritesOnTime() throws {
        let average = MovingAverage(momentum: 0.5, overwriteFrequency: 2)
        var run = try StepRun(
            SGD(learningRate: 1, settings: OptimizerSettings(movingAverage: average)), ["kernel": [0]])
        try run.step([[-4]])
        #expect(run.values == [[4]])
        #expect(run.averages == [[4]])
        try run.step([[-4]])
        // w = 8, a = 0.5 · 4 + 0.5 · 8, which overwrites w.
        #expect(run.values == [[6]])
        #expect(run.averages == [[6]])
    }

    @Test func eachVariableHasItsFactorOfTheRate() throws {
        let settings = OptimizerSettings(learningRateFactor: { $0.hasSuffix("bias") ? 0.25 : 1 })
        var run = try StepRun(SGD(learningRate: 1, settings: settings), ["kernel": [0], "bias": [0]])
        try run.step([[1], [1]])
        #expect(run.values == [[-1], [-0.25]])
    }

    @Test func amsgradRemembersTheLargest() throws {
        // β₂ = 0: v is g², v̂ its largest so far. β₁ = 0 and no ε: the step is η · g / √v̂.
        let optimizer = Adam(learningRate: 1, beta1: 0, beta2: 0, epsilon: 0, amsgrad: true)
        var run = try StepRun(optimizer, ["kernel": [0]])
        try run.step([[4]])
        try run.step([[2]])
        #expect(run.values == [[-1.5]])
    }

    @Test func lionTakesStepsOfOneSize() throws {
        var run = try StepRun(Lion(learningRate: 0.5), ["kernel": [0, 0, 0]])
        try run.step([[100, -0.001, 0]])
        #expect(run.values == [[-0.5, 0.5, 0]])
    }

    @Test func adagradDividesByTheRootOfTheSum() throws {
        var run = try StepRun(Adagrad(learningRate: 1, initialAccumulatorValue: 7, epsilon: 0), ["kernel": [0]])
        try run.step([[3]])
        #expect(run.values == [[-0.75]])
    }

    /// One fused update a variable and nothing else: as many updates as the formula has, and no further inputs.
    @Test func plainOptimizersAddNothing() throws {
        for optimizer in [SGD(), RMSprop(), Adam()] as [any Optimizer] {
            let run = try StepRun(optimizer, ["kernel": [0]])
            #expect(run.graph.updates.count == 1 + optimizer.slots.count)
            let inputs = run.graph.nodes.compactMap { node -> String? in
                if case .input(let name, _) = node.operation { name } else { nil }
            }
            #expect(Set(inputs).isSubset(of: ["gradient0", "learning_rate", "step"]))
        }
    }

    static let wrong: [(OptimizerSettings, String)] = [
        (OptimizerSettings(weightDecay: -1), "the weight decay of Adam is -1.0; it must be at least 0.0"),
        (OptimizerSettings(clipping: .norm(0)), "the limit of gradients of Adam is 0.0; it must be above 0"),
        (OptimizerSettings(accumulationSteps: 0), "accumulationSteps of Adam is 0; it must be 1 or more"),
        (
            OptimizerSettings(movingAverage: MovingAverage(momentum: 2)),
            "the moving average's momentum of Adam is 2.0; it must be 0.0 to 1.0"
        ),
    ]

    @Test(arguments: wrong)
    func argumentOutOfRangeThrows(_ settings: OptimizerSettings, message: String) {
        #expect { try Adam(settings: settings).validate() } throws: { ($0 as? GraftError)?.message == message }
    }
}

/// Steps of an optimizer with its settings on given gradients, all of it on the interpreter.
private struct StepRun {
    let graph: Graph
    private let program: OptimizerProgram
    private let schedule: LearningRateSchedule
    private let count: Int
    private var state: [VariableID: ReferenceArray] = [:]
    private var done = 0

    init(_ optimizer: any Optimizer, _ start: KeyValuePairs<String, [Float]>) throws {
        program = OptimizerProgram(optimizer)
        (schedule, count) = (optimizer.learningRate, start.count)
        let scope = GraphScope()
        let width = 1 + program.slots.count
        var targets: [OptimizerProgram.Target] = []
        for (index, (name, values)) in start.enumerated() {
            let shape: Shape = [values.count]
            let array = ReferenceArray(Tensor(values, shape: shape))
            state[VariableID(index * width)] = array
            for (number, slot) in program.slots.enumerated() {
                state[VariableID(index * width + 1 + number)] =
                    slot.copiesVariable ? array : ReferenceArray(repeating: Double(slot.initialValue), shape: shape)
            }
            targets.append(
                OptimizerProgram.Target(
                    name: name, path: "layer/\(name)", value: try scope.variable(VariableID(index * width), shape),
                    gradient: try scope.input("gradient\(index)", shape),
                    slots: try program.slots.indices.map {
                        try scope.variable(VariableID(index * width + 1 + $0), shape)
                    }))
        }
        for (index, update) in try program.updates(of: targets, in: scope).enumerated() {
            let values = [update.value] + update.slots
            scope.graph.updates += values.enumerated().map {
                Graph.Update(variable: VariableID(index * width + $0.offset), value: $0.element.id)
            }
        }
        graph = scope.graph
    }

    mutating func step(_ gradients: [[Float]]) throws {
        let scalars = program.scalars(step: done, learningRate: schedule.rate(at: done))
        var inputs = scalars.mapValues { ReferenceArray(Double($0)) }
        for (index, gradient) in gradients.enumerated() {
            inputs["gradient\(index)"] = ReferenceArray(Tensor(gradient, shape: [gradient.count]))
        }
        state.merge(try Interpreter.run(graph, inputs: inputs, variables: state).updates) { _, new in new }
        done += 1
    }

    /// The variables' values.
    var values: [[Float]] { (0..<count).map { scalars(of: $0 * (1 + program.slots.count)) } }
    /// The variables' averages, their last slots.
    var averages: [[Float]] { (1...count).map { scalars(of: $0 * (1 + program.slots.count) - 1) } }

    private func scalars(of variable: Int) -> [Float] { state[VariableID(variable)]?.tensor.scalars ?? [] }
}
