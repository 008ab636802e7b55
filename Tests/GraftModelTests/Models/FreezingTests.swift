import GraftModel
import Testing

@Suite struct FreezingTests {
    private func chain() throws -> Model {
        let x = Input(shape: [2])
        var y = x
        for name in ["a", "b", "c", "d"] { y = try Dense(2, useBias: false, name: name)(y) }
        return try Model(inputs: x, outputs: y, name: "chain")
    }

    @Test func freezeAndUnfreezeReachAllLayers() throws {
        let model = try chain()
        model.freeze()
        #expect(model.trainableVariables.isEmpty && model.nonTrainableVariables.count == 4)
        #expect(model.layers.allSatisfy { !$0.trainable })
        model.unfreeze()
        #expect(model.trainableVariables.count == 4)
    }

    @Test func unfreezeFromALayerReachesAllBehindIt() throws {
        let model = try chain()
        model.freeze()
        try model.unfreeze(from: "c")
        #expect(model.trainableVariables.map(\.path) == ["c/kernel", "d/kernel"])
        #expect(model.nonTrainableVariables.map(\.path) == ["a/kernel", "b/kernel"])
        #expect(throws: GraftError.self) { try model.unfreeze(from: "e") }
    }

    @Test func unfreezeReachesIntoAModelInside() throws {
        let model = try Sequential([chain(), Dense(1, name: "head")])
        model.freeze()
        try model.unfreeze(from: "chain/d")
        #expect(model.trainableVariables.map(\.path) == ["d/kernel", "head/kernel", "head/bias"])
    }

    @Test func freezeWhereTakesACondition() throws {
        let model = try chain()
        model.freeze { $0.name < "c" }
        #expect(model.trainableVariables.map(\.path) == ["c/kernel", "d/kernel"])
    }

    @Test func layersInsideAFrozenModelDoNotTrain() throws {
        let base = try chain()
        let model = try Sequential([base, Dense(1)])
        base.trainable = false
        base.layers[1].trainable = true
        #expect(model.trainableVariables.map(\.path) == ["dense/kernel", "dense/bias"])
        model.trainable = false
        #expect(model.trainableVariables.isEmpty)
        #expect(base.layers.allSatisfy { !$0.trainable })
    }

    @Test func layerByLayerWorksAsInKeras() throws {
        let model = try chain()
        for layer in model.layers { layer.trainable = false }
        #expect(model.trainableVariables.isEmpty)
        #expect(model.trainable)
    }
}
