import GraftModel
import Testing

/// Against what real Keras says about the same models.
@Suite struct KerasModelTests {
    @Test(arguments: KerasModel.all) func modelBuiltHereIsKeras(_ keras: KerasModel) throws {
        let build = try #require(ModelsLikeKeras.builders[keras.name])
        let model = try build()
        // Keras counts names over all models of a process, Graft within a model: they agree where there is one model.
        let isAlone = !["nested", "sequential"].contains(keras.name)
        if isAlone { #expect(model.layers.map(\.name) == keras.layers) }
        expectCounts(of: model, keras)
        guard isAlone else { return }
        #expect(model.trainableVariables.map(\.path) == keras.trainable)
        #expect(model.serialized.comparable.firstDifference(from: keras.config.comparable) == nil)
    }

    @Test(arguments: KerasModel.all) func modelReadFromKerasWritesTheSame(_ keras: KerasModel) throws {
        let model = try Model.deserialize(keras.config)
        #expect(model.layers.map(\.name) == keras.layers)
        expectCounts(of: model, keras)
        #expect(model.serialized.comparable.firstDifference(from: keras.config.comparable) == nil)
        let again = try Model.deserialize(model.serialized)
        #expect(again.serialized == model.serialized)
    }

    private func expectCounts(of model: Model, _ keras: KerasModel) {
        #expect(model.countParameters() == keras.parameters)
        #expect(model.trainableVariables.parameterCount == keras.trainableParameters)
        #expect(model.outputs.map(\.shape.dimensions) == keras.outputShapes)
        let variables = model.variables.map { KerasModel.Variable(name: $0.name, shape: $0.shape.dimensions) }
        #expect(variables == keras.variables)
    }
}
