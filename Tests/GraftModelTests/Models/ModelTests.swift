import GraftModel
import GraftTestSupport
import Testing

@Suite struct ModelTests {
    @Test func layerCalledTwiceSharesItsVariables() throws {
        let (x, y) = (Input(shape: [2]), Input(shape: [2]))
        let shared = Dense(1, useBias: false)
        let model = try Model(inputs: [x, y], outputs: [shared(x), shared(y)])
        try shared.setWeights([Tensor([1, 10], shape: [2, 1])])
        #expect(model.variables.count == 1)
        let lowered = try model.lower(batchSize: 1, training: false)
        #expect(lowered.variables == [try shared.requireVariable("kernel")])
        let result = try interpret(model, [Tensor([1, 2], shape: [1, 2]), Tensor([3, 4], shape: [1, 2])])
        #expect(result.outputs.map(\.values) == [[21], [43]])
    }

    @Test func modelOnAnothersTensorsSharesItsLayers() throws {
        let x = Input(shape: [3])
        let base = try Model(inputs: x, outputs: Dense(2)(Dense(4, name: "cut")(x)))
        let cut = try Model(inputs: base.input, outputs: Dense(1)(base.layer(named: "cut").output))
        #expect(cut.layers.map(\.name) == ["input_layer", "cut", "dense"])
        #expect(try cut.layer(named: "cut") === base.layer(named: "cut"))
        base.freeze()
        #expect(cut.trainableVariables.map(\.path) == ["dense/kernel", "dense/bias"])
        try base.layer(named: "cut").setWeights([
            Tensor(repeating: 2, shape: [3, 4]), Tensor(repeating: 1, shape: [4]),
        ])
        #expect(cut.weights[0] == Tensor(repeating: 2, shape: [3, 4]))
    }

    @Test func modelIsALayer() throws {
        let z = Input(shape: [2])
        let two = try Model(inputs: z, outputs: [Rescaling(2)(z), Rescaling(3)(z)])
        let x = Input(shape: [2])
        let parts = try two.call([x])
        let model = try Model(inputs: x, outputs: Add()([parts[0], two.call([parts[1]])[0]]))
        // 2x + 2 · 3x
        #expect(try interpret(model, [Tensor([1, 10], shape: [1, 2])]).outputs[0].values == [8, 80])
        #expect(throws: GraftError.self) { try two(x) }
    }

    @Test func modelCalledOnAnotherSizeWorksOutItsShapes() throws {
        let z = Input(shape: [8, 8, 1])
        let inner = try Model(inputs: z, outputs: MaxPooling2D()(Conv2D(2, kernelSize: 3)(z)))
        let x = Input(shape: [12, 10, 1])
        let model = try Model(inputs: x, outputs: inner(x))
        #expect(model.outputs[0].shape == [5, 4, 2])
        #expect(try interpret(model, [counting([1, 12, 10, 1])]).outputs[0].shape == [1, 5, 4, 2])
    }

    @Test func inputsAreNamedAfterTheirLayers() throws {
        let (x, y) = (Input(shape: [2], name: "left"), Input(shape: [2]))
        let lowered = try Model(inputs: [y, x], outputs: Add()([x, y])).lower(batchSize: 5, training: false)
        #expect(lowered.inputNames == ["input_layer", "left"])
        let names = lowered.graph.nodes.compactMap { node -> String? in
            if case .leaf(.input(let name, let shape)) = node.operation, shape == [5, 2] { return name }
            return nil
        }
        #expect(names == lowered.inputNames)
    }

    @Test func nodesBearTheNamesOfTheirLayers() throws {
        let inner = try Sequential([Dense(1, name: "inside")], name: "inner")
        let model = try Sequential([inner, Activation(.relu, name: "last")], inputShape: [2])
        let lowered = try model.lower(batchSize: 1, training: false)
        let labels = Set(lowered.graph.nodes.map(\.label))
        #expect(labels == ["", "inner/inside", "last"])
    }

    @Test func missingInputIsNamed() throws {
        let (x, y) = (Input(shape: [2], name: "x"), Input(shape: [2], name: "y"))
        let error = #expect(throws: GraftError.self) { try Model(inputs: x, outputs: Add()([x, y])) }
        #expect(
            error?.description
                == "the outputs need the input y, which is not among the model's inputs (x); add it to `inputs:`")
        #expect(throws: GraftError.self) { try Model(inputs: [x, x], outputs: x) }
        #expect(throws: GraftError.self) { try Model(inputs: [], outputs: x) }
    }

    @Test func tensorsInsideAModelCanBeInputs() throws {
        let x = Input(shape: [2])
        let first = Rescaling(10, name: "first")
        let middle = try first(x)
        let last = Rescaling(3, name: "last")
        let whole = try Model(inputs: x, outputs: last(middle))
        let tail = try Model(inputs: middle, outputs: whole.output)
        #expect(tail.layers.map(\.name) == ["input_layer", "last"])
        #expect(try interpret(tail, [Tensor([1, 2], shape: [1, 2])]).outputs[0].values == [3, 6])
        #expect(try last.output == whole.output)
    }

    @Test func outputOfALayerNeedsOneCall() throws {
        let layer = Dense(2)
        #expect(throws: GraftError.self) { try layer.output }
        let x = Input(shape: [2])
        let y = try layer(x)
        #expect(try layer.output == y)
        #expect(try layer.input == x)
        let z = try layer(y)
        #expect(throws: GraftError.self) { try layer.output }
        withExtendedLifetime(z) {}
    }

    @Test func outputThatIsAnInputPassesThrough() throws {
        let x = Input(shape: [2])
        let model = try Model(inputs: x, outputs: [x, Rescaling(2)(x)])
        #expect(try interpret(model, [Tensor([1, 2], shape: [1, 2])]).outputs.map(\.values) == [[1, 2], [2, 4]])
    }

    @Test func chainsOfThousandsNeedNoDeepStack() throws {
        var tensor = Input(shape: [1])
        let input = tensor
        for _ in 0..<20_000 { tensor = try Activation(.linear)(tensor) }
        let model = try Model(inputs: input, outputs: tensor)
        #expect(model.layers.count == 20_001)
        #expect(model.layers.last?.name == "activation_19999")
        #expect(try model.lower(batchSize: 1, training: false).graph.nodes.count == 1)
    }

    @Test func nothingIsKeptInACircle() throws {
        weak var model: Model?
        weak var layer: Layer?
        do {
            let inner = try Sequential([Dense(2), Dropout(0.5)], inputShape: [2])
            let x = Input(shape: [2])
            let dense = Dense(2)
            let outer = try Model(inputs: x, outputs: inner(dense(inner(x))))
            (model, layer) = (outer, dense)
            #expect(model != nil && layer != nil)
        }
        #expect(model == nil)
        #expect(layer == nil)
    }

    @Test func modelsThatStandForTooManyCallsAreRefused() throws {
        func doubled(_ inner: Layer) throws -> Model {
            let x = Input(shape: [1])
            return try Model(inputs: x, outputs: inner(inner(x)))
        }
        let error = #expect(throws: GraftError.self) {
            var model = try doubled(Rescaling(1))
            for _ in 0..<30 { model = try doubled(model) }
        }
        #expect(error?.code == .argument)
    }

    @Test func manyThreadsMayLowerAndReadAtOnce() async throws {
        let model = try ModelsLikeKeras.everyLayer()
        let expected = try model.lower(batchSize: 2, training: false)
        let results = try await withThrowingTaskGroup(of: ([Tensor], Int).self) { group in
            for _ in 0..<8 {
                group.addTask { (model.weights, try model.lower(batchSize: 2, training: false).graph.nodes.count) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for (weights, count) in results {
            #expect(weights == model.weights)
            #expect(count == expected.graph.nodes.count)
        }
    }
}
