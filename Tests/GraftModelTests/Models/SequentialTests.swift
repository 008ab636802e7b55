import GraftModel
import Testing

@Suite struct SequentialTests {
    @Test func inputComesFromAnywhere() throws {
        let x = Input(shape: [3])
        let base = try Model(inputs: x, outputs: Dense(3)(x))
        let models = try [
            Sequential([Dense(2)], inputShape: [3]), Sequential([InputLayer(shape: [3]), Dense(2)]),
            Sequential([base, Dense(2)]), Sequential([Sequential([Dense(3)], inputShape: [3]), Dense(2)]),
        ]
        for model in models {
            #expect(try model.input.shape == [3])
            #expect(try model.output.shape == [2])
            #expect(model.isBuilt)
            #expect(!model.layers.contains { $0 is InputLayer })
        }
    }

    @Test func inputComesFromTheFirstCall() throws {
        let model = try Sequential([Dense(2), Dense(1)])
        #expect(!model.isBuilt && model.inputs.isEmpty && model.variables.isEmpty)
        let error = #expect(throws: GraftError.self) { try model.lower(batchSize: 1, training: false) }
        #expect(error?.code == .state)
        #expect(try model(Input(shape: [5])).shape == [1])
        #expect(model.countParameters() == 15)
    }

    @Test func layersCanBeAdded() throws {
        let model = try Sequential([Dense(2)], inputShape: [3])
        try model.add(Dense(4))
        #expect(try model.output.shape == [4])
        #expect(model.layers.map(\.name) == ["dense", "dense_1"])
        #expect(throws: GraftError.self) { try model.add(InputLayer(shape: [4])) }
    }

    @Test func tutorialsStackHasItsShapes() throws {
        let x = Input(shape: [6, 6, 3])
        let base = try Model(inputs: x, outputs: Conv2D(4, kernelSize: 3)(x))
        let model = try Sequential([base, Flatten(), Dense(8, activation: .relu), Dense(1, activation: .sigmoid)])
        #expect(model.layers.map(\.name) == ["functional", "flatten", "dense", "dense_1"])
        #expect(model.countParameters() == 112 + 64 * 8 + 8 + 9)
    }

    @Test func refusedStackLeavesAnError() throws {
        let error = #expect(throws: GraftError.self) {
            try Sequential([Flatten(), Conv2D(1, kernelSize: 3)], inputShape: [4, 4, 1])
        }
        #expect(
            error?.description == "layer conv2d (Conv2D): Conv2D needs an input of height, width and channels; it was "
                + "given (None, 16)")
    }
}
