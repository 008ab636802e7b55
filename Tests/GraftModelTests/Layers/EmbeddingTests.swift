import GraftModel
import GraftTestSupport
import Testing

@Suite struct EmbeddingTests {
    @Test func idsWithoutARowGiveZeros() throws {
        let layer = Embedding(inputDim: 3, outputDim: 2)
        try layer.buildIfNeeded([[4]])
        try layer.setWeights([counting([3, 2])])
        let vectors = try interpret(layer, Tensor([2, 0, 3, -1], shape: [1, 4]))
        #expect(vectors.shape == [1, 4, 2])
        #expect(vectors.values == [5, 6, 1, 2, 0, 0, 0, 0])
    }

    @Test func theTableBeginsAsKerasDoes() throws {
        let layer = Embedding(inputDim: 400, outputDim: 5)
        try layer.buildIfNeeded([[]])
        let table = try #require(layer.embeddings).value
        #expect(table.shape == [400, 5])
        let (least, most) = (table.scalars.min() ?? 0, table.scalars.max() ?? 0)
        #expect(least < -0.049 && least >= -0.05 && most > 0.049 && most <= 0.05)
    }

    @Test(arguments: [
        (0, 4, "Embedding: input_dim must be from 1 to 16777216, is 0"),
        (16_777_217, 4, "Embedding: input_dim must be from 1 to 16777216, is 16777217"),
        (4, -1, "Embedding: output_dim must be from 1 to 16777216, is -1"),
    ])
    func sizesAreChecked(inputDim: Int, outputDim: Int, words: String) {
        let error = #expect(throws: GraftError.self) {
            try Embedding(inputDim: inputDim, outputDim: outputDim)(Input(shape: [3]))
        }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func aMaskIsRefused() throws {
        let configuration: Configuration = ["name": "words", "input_dim": 9, "output_dim": 2, "mask_zero": true]
        let error = #expect(throws: GraftError.self) {
            try LayerRegistry.standard.layer("Embedding", configuration)
        }
        #expect(error?.code == .format)
        #expect(error?.message == "Embedding words: the argument mask_zero is true; Graft knows only false there")
    }
}
