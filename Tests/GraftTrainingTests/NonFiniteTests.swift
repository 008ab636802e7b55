import GraftCPU
import GraftGraph
import GraftModel
import Testing

@testable import GraftTraining

/// A loss that is no number ends the run, and the error says where the first such number arose.
@Suite struct NonFiniteTests {
    /// What `fit` throws.
    private func message(
        _ model: Model, _ data: ArrayDataset, batchSize: Int = 8, epochs: Int = 3, shuffle: Bool = true,
        options: TrainingOptions = temporary
    ) -> String {
        do {
            try model.fit(data, batchSize: batchSize, epochs: epochs, shuffle: shuffle, options: options)
            return "nothing was thrown"
        } catch {
            return (error as? GraftError)?.message ?? "\(error)"
        }
    }

    /// Three layers, one of them with weights so large that what it puts out cannot be a 32-bit float.
    @Test(arguments: [0, 1, 2])
    func weightsThatOverflowNameTheirLayer(wrong: Int) throws {
        let layers = (0..<3).map { Dense($0 == 2 ? 3 : 8, activation: $0 == 2 ? .softmax : .relu) }
        let data = try ArrayDataset(
            inputs: Tensor((0..<80).map { Float($0 % 9 + 1) }, shape: [20, 4]),
            targets: Tensor((0..<20).map { Float($0 % 3) }, shape: [20]))
        let model = try Sequential(layers, inputShape: [4], seed: 1)
        try model.compile(optimizer: SGD(learningRate: 0.01), loss: .sparseCategoricalCrossentropy)
        let kernel = try #require(layers[wrong].variables.first)
        // Infinite for one unit, so that the loss is no number and not merely large.
        kernel.value = Tensor(repeating: 3e38, shape: kernel.shape)
        let message = message(model, data)
        // Behind the first layer, ReLU hides from the loss what the second one makes of infinite numbers.
        let place =
            wrong == 0
            ? ": in step 1 the first numbers " : " at step 1 of epoch 1, with a learning rate of 0.01: the first"
        #expect(message.contains(place), "\(message)")
        #expect(
            message.contains(
                "that are not finite came out of layer \(layers[wrong].name) (matrixProduct), whose weights reach 3e+38; "
            ),
            "\(message)")
    }

    @Test func aRateThatExplodesNamesStepAndLayer() throws {
        let (model, data) = try smallProblem(optimizer: SGD(learningRate: 1e30))
        let before = model.weights
        let message = message(model, data)
        // The first step makes weights of some 1e29; their product is beyond 3.4e38 in the second layer of the second step.
        #expect(
            message.contains("at step 2 of epoch 1, with a learning rate of 1e+30: the first numbers"), "\(message)")
        #expect(message.contains("came out of layer dense_1 (matrixProduct), whose weights reach "), "\(message)")
        #expect(model.weights == before)
    }

    @Test func aChangeThatOverflowsNamesItsVariableAndStep() throws {
        let (model, data) = try smallProblem(optimizer: RMSprop(learningRate: .constant(.greatestFiniteMagnitude)))
        let message = message(model, data)
        #expect(message.contains("at step 2 of epoch 1"), "\(message)")
        #expect(message.contains("step 1 left numbers in dense_1/"), "\(message)")
        #expect(message.hasSuffix("that are not finite; use a smaller learning rate, or clip gradients"), "\(message)")
    }

    @Test func theLogarithmOfZeroIsFoundInTheLoss() throws {
        let (model, data) = try smallProblem()
        let loss = Loss("log", targets: .classNumbers) { predictions, _ in try (predictions - predictions).logarithm() }
        try model.compile(optimizer: SGD(learningRate: 0.01), loss: loss)
        let message = message(model, data)
        #expect(message.contains("the loss became -inf at step 1 of epoch 1"), "\(message)")
        #expect(message.contains("every layer's result is finite, the formula of the loss ("), "\(message)")
    }

    @Test func anInputThatIsNoNumberNamesTheExample() throws {
        let (model, data) = try smallProblem()
        var inputs = data.inputs[0].scalars
        inputs[17 * 4 + 2] = .nan
        let wrong = try ArrayDataset(inputs: Tensor(inputs, shape: [50, 4]), targets: data.targets[0])
        let message = message(model, wrong, shuffle: false)
        // ReLU hides it from the loss; the kernel's gradient shows it.
        #expect(
            message.contains(
                "holds numbers that are not finite after epoch 1, with a learning rate of 0.01: in step 3 the input of "
                    + "training example 17 has numbers that are not finite; mend or leave out that example."),
            "\(message)")
        let smooth = try Sequential([Dense(3, activation: .softmax)], inputShape: [4], seed: 1)
        try smooth.compile(optimizer: SGD(learningRate: 0.01), loss: .sparseCategoricalCrossentropy)
        let second = self.message(smooth, wrong, shuffle: false)
        #expect(second.contains("at step 3 of epoch 1"), "\(second)")
        #expect(second.contains("the input of training example 17 has numbers that are not finite"), "\(second)")
    }

    @Test func aFrozenLayerThatOverflowsIsNamedThroughItsFeatures() throws {
        let layers: [Layer] = [
            Conv2D(3, kernelSize: 1, name: "first"), Conv2D(3, kernelSize: 1, name: "second"), Flatten(),
            Dense(1, activation: .sigmoid),
        ]
        let model = try Sequential(layers, inputShape: [2, 2, 3], seed: 1)
        for layer in layers.prefix(2) { layer.trainable = false }
        let kernel = try #require(layers[1].variables.first)
        kernel.value = Tensor(repeating: 3e38, shape: kernel.shape)
        try model.compile(optimizer: SGD(learningRate: 0.01), loss: .binaryCrossentropy)
        let data = try ArrayDataset(
            inputs: Tensor((0..<48).map { Float($0 % 7) }, shape: [4, 2, 2, 3]),
            targets: Tensor([0, 1, 0, 1], shape: [4]))
        let message = message(model, data, batchSize: 2, shuffle: false)
        #expect(
            message.contains(
                "layer second of the frozen part gives numbers that are not finite for training example 0"),
            "\(message)")
    }

    @Test func theVariablesAreThoseBeforeTheStep() throws {
        let graph = try guardedGraph()
        for guarded in [
            CPUBackend(options: .init()).makePlanForTests(graph), ReferenceBackend().makePlanForTests(graph),
        ] {
            let plan = try guarded.get()
            try plan.bind([VariableID(0): Tensor([4, 9], shape: [2])])
            _ = try plan.run([:], randomKey: 0)
            #expect(plan.value(of: VariableID(0))?.scalars == [-1, 4])
            let outputs = try plan.run([:], randomKey: 0)
            #expect(outputs[0][0].isNaN)
            #expect(plan.value(of: VariableID(0))?.scalars == [-1, 4])
        }
    }

    /// Output: the sum of the roots; update: five less.
    private func guardedGraph() throws -> Graph {
        let scope = GraphScope()
        let variable = try scope.variable(VariableID(0), [2])
        scope.graph.outputs = [try variable.squareRoot().reduced(.sum).id]
        scope.graph.updates = [Graph.Update(variable: VariableID(0), value: try (variable - 5).id)]
        return scope.graph
    }
}

extension Backend {
    fileprivate func makePlanForTests(_ graph: Graph) -> Result<any Plan, any Error> {
        Result { try compile(graph) }
    }
}

extension NonFiniteTests {
    /// Looking at the loss before variables change costs no step and no memory.
    @Test func theGuardIsFree() throws {
        let (model, _) = try smallProblem(optimizer: Adam(learningRate: 0.01), dropout: 0.5)
        let network = try #require(FineTuningFixture.shared.networks.first).model()
        try network.compile(
            optimizer: SGD(learningRate: 0.01, momentum: 0.9), loss: .sparseCategoricalCrossentropy,
            metrics: [.accuracy])
        for model in [model, network] {
            let compilation = try #require(TrainingState.of(model).compilation)
            let trained = try TrainedModel(model, mayKeepTrunk: false)
            let program = try StepProgram.training(
                trained.parts(batchSize: 16, training: true), trained.trainable, compilation, targetShapes: [[]])
            var options = CPUOptions(threads: 1)
            let plain = try CPUPlan(program.graph, options: options).report
            options.skipsNonFiniteUpdates = true
            let guarded = try CPUPlan(program.graph, options: options).report
            #expect(guarded.steps == plain.steps)
            #expect(guarded.updatesInPlace == plain.updatesInPlace)
            #expect(guarded.arenaByteCount <= plain.arenaByteCount)
            #expect(guarded.fusedGradients == plain.fusedGradients)
        }
    }
}
