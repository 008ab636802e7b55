import Testing

@testable import GraftModel

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

    @Test(arguments: ["b", "d", "inner/b", "inner/d", "head", nil] as [String?])
    func whatUnfreezingWouldTrainIsToldWithoutDoingIt(name: String?) throws {
        let isInside = name.map { $0 == "head" || $0.contains("/") } ?? true
        let inner = try Sequential(chain().layers.dropFirst().map { $0 }, name: "inner")
        let model = isInside ? try Sequential([inner, Dense(1, name: "head")]) : try chain()
        if isInside { _ = try model(Input(shape: [2])) }
        try model.layer(named: isInside ? "inner/c" : "c").freezePermanently()
        model.freeze()
        let told = try model.trainableVariables(unfreezingFrom: name)
        #expect(model.trainableVariables.isEmpty && model.layers.allSatisfy { !$0.trainable })
        if let name { try model.unfreeze(from: name) } else { model.unfreeze() }
        #expect(!told.isEmpty && told == model.trainableVariables)
        #expect(throws: GraftError.self) { try model.trainableVariables(unfreezingFrom: "e") }
    }

    @Test func freezeWhereTakesACondition() throws {
        let model = try chain()
        model.freeze { $0.name < "c" }
        #expect(model.trainableVariables.map(\.path) == ["c/kernel", "d/kernel"])
    }

    @Test func unfreezeWhereTakesACondition() throws {
        let model = try chain()
        model.freeze()
        model.unfreeze { $0.name > "c" }
        #expect(model.trainableVariables.map(\.path) == ["d/kernel"])
    }

    @Test func rangesHaveBothEnds() throws {
        let model = try chain()
        try model.freeze(from: "b", through: "c")
        #expect(model.trainableVariables.map(\.path) == ["a/kernel", "d/kernel"])
        try model.unfreeze(from: "c", through: "c")
        #expect(model.nonTrainableVariables.map(\.path) == ["b/kernel"])
        #expect(throws: GraftError.self) { try model.freeze(from: "c", through: "b") }
        #expect(throws: GraftError.self) { try model.freeze(from: "c", through: "z") }
    }

    @Test func patternsReachIntoModelsInside() throws {
        let model = try Sequential([chain(), Dense(1, name: "head")])
        #expect(try model.freeze(matching: "chain/?") == 4)
        #expect(model.trainableVariables.map(\.path) == ["head/kernel", "head/bias"])
        model.freeze()
        #expect(try model.unfreeze(matching: "*/d") == 1)
        #expect(model.trainableVariables.map(\.path) == ["d/kernel"])
        #expect(throws: GraftError.self) { try model.freeze(matching: "conv*") }
    }

    @Test(arguments: [
        ("", "", true), ("", "a", false), ("*", "", true), ("*", "mixed5", true), ("mixed?", "mixed5", true),
        ("mixed?", "mixed10", false), ("mixed*", "mixed9_0", true), ("*_1", "conv2d_1", true),
        ("*_1", "conv2d_11", false), ("c*_*1", "conv2d_11", true), ("a*b*c", "abcbd", false), ("**a", "a", true),
    ])
    func patternsMatchWholeNames(pattern: String, name: String, fits: Bool) {
        #expect(NamePattern(pattern).matches(name) == fits)
    }

    @Test func nothingUnfreezesConstants() throws {
        let model = try chain()
        model.layers[1].freezePermanently()
        model.unfreeze()
        try model.unfreeze(from: "a")
        try model.unfreeze(matching: "*")
        model.layers[1].trainable = true
        for layer in model.layers { layer.trainable = true }
        #expect(!model.layers[1].trainable)
        #expect(model.trainableVariables.map(\.path) == ["b/kernel", "c/kernel", "d/kernel"])
        #expect(ModelSummary(of: model).rows[1].trainable == false)
    }

    @Test func marksAreTakenOverByAModelOfTheSameLayers() throws {
        func make() throws -> Model {
            let inner = try Sequential([BatchNormalization(name: "norm")], inputShape: [2], name: "inner")
            return try Sequential([inner, BatchNormalization(name: "last"), Dense(1, name: "head")])
        }
        let (model, other) = (try make(), try make())
        try #require(model.layer(named: "inner/norm") as? BatchNormalization).statistics = .frozen
        try model.layer(named: "head").freezePermanently()
        #expect(model.layerFlags == LayerFlags(frozenStatistics: ["inner/norm"], fixed: ["head"]))
        other.layerFlags = model.layerFlags
        #expect(other.layerFlags == model.layerFlags)
        other.layerFlags = LayerFlags(frozenStatistics: ["nobody"])
        #expect(other.layerFlags == LayerFlags(fixed: ["head"]))
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
