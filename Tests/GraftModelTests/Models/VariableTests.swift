import GraftModel
import Testing

@Suite struct VariableTests {
    private func dense() throws -> Dense {
        let layer = Dense(2)
        _ = try layer(Input(shape: [3]))
        return layer
    }

    @Test func valueIsDrawnWhenItIsFirstRead() throws {
        let layer = try dense()
        let kernel = try layer.requireVariable("kernel")
        #expect(!kernel.isInitialized)
        let value = kernel.value
        #expect(kernel.isInitialized && kernel.value == value)
    }

    @Test func loadedValueIsNotDrawn() throws {
        let layer = try dense()
        let kernel = try layer.requireVariable("kernel")
        kernel.value = Tensor(repeating: 3, shape: [3, 2])
        #expect(layer.weights[0].scalars == [3, 3, 3, 3, 3, 3])
    }

    @Test func wrongShapesChangeNothing() throws {
        let layer = try dense()
        let before = layer.weights
        let error = #expect(throws: GraftError.self) {
            try layer.setWeights([Tensor(zeros: [3, 2]), Tensor(zeros: [3])])
        }
        #expect(error?.description == "the variable dense/bias has the shape (2,); it was given (3,)")
        #expect(throws: GraftError.self) { try layer.setWeights([Tensor(zeros: [3, 2])]) }
        #expect(throws: GraftError.self) { try layer.variables[0].assign(Tensor(zeros: [2, 3])) }
        #expect(layer.weights == before)
    }
}
