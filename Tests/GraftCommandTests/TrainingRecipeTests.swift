import Graft
import Testing

@testable import GraftCommand

@Suite struct TrainingRecipeTests {
    private func recipe(_ words: [String], examples: Int = 800) throws -> TrainingRecipe {
        let options = try Train.parse(words)
        return try TrainingRecipe(options, base: options.network.named(), examples: examples)
    }

    @Test func withoutOptionsTheBuiltInBaseIsMeant() throws {
        let recipe = try recipe(["photos"])
        #expect(recipe.head == "standardize")
        #expect(recipe.optimizer == .adam)
        #expect(recipe.penalty == 0.2)
    }

    @Test(arguments: [(10, 100), (400, 100), (800, 50), (4000, 10), (100_000, 10)])
    func epochsFollowFromTheNumberOfImages(examples: Int, epochs: Int) throws {
        #expect(try recipe(["photos"], examples: examples).epochs == epochs)
    }

    @Test(arguments: [
        ["photos", "--base", "inception-v3"], ["photos", "--weights", "none"], ["photos", "--cut", "mixed7"],
    ])
    func commandsOfBeforeMeanWhatTheyMeant(words: [String]) throws {
        #expect(try Train.parse(words).network.named().id == "inception-v3")
        let recipe = try recipe(words)
        #expect(recipe.head == "flatten,dense:1024:relu,dropout:0.2")
        #expect(recipe.optimizer == .rmsprop)
        #expect(recipe.learningRate == 1e-4)
        #expect(recipe.batchSize == 20)
        #expect(recipe.epochs == 10)
        #expect(recipe.penalty == 0)
    }

    @Test func whatIsSaidHolds() throws {
        let recipe = try recipe([
            "photos", "--head", "dropout:0.5", "--optimizer", "sgd", "--learning-rate", "0.1", "--batch-size", "7",
            "--epochs", "3", "--l2", "0.25",
        ])
        #expect(recipe.head == "dropout:0.5")
        #expect(recipe.optimizer == .sgd)
        #expect(recipe.learningRate == 0.1)
        #expect(recipe.batchSize == 7)
        #expect(recipe.epochs == 3)
        #expect(recipe.penalty == 0.25)
    }

    @Test(arguments: [
        ("photos", "photos.keras"), ("photos/", "photos.keras"), ("/data/my leaves", "my leaves.keras"),
        ("/", "model.keras"),
        ("a/../b", "b.keras"),
    ])
    func aModelIsNamedAfterItsFolder(images: String, model: String) {
        #expect(Train.modelPath(for: images) == model)
    }

    @Test func featuresOfSeveralLayersCountAlike() throws {
        let features = Input(shape: [10])
        let head = try HeadSpecification("standardize").apply(to: features, groups: [2, 8])
        let model = try Model(inputs: features, outputs: head)
        #expect(model.layers.map(\.name).contains("standardize"))
        let balance = try #require(model.layers.last as? Rescaling)
        // Half of ten numbers' squared length for each layer: 2 · 2.5 and 8 · 0.625.
        let (two, eight) = (2.5.squareRoot(), 0.625.squareRoot())
        #expect(balance.scale == .channels([two, two] + [Double](repeating: eight, count: 8)))
    }

    @Test func featuresOfOneLayerAreOnlyStandardized() throws {
        let features = Input(shape: [10])
        let model = try Model(inputs: features, outputs: HeadSpecification("standardize").apply(to: features))
        #expect(model.layers.count == 2)
    }
}
