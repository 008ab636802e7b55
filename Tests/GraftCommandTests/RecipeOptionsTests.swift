import Graft
import Testing

@testable import GraftCommand

/// What the options of `graft train` make of a recipe.
@Suite struct RecipeOptionsTests {
    private func recipe(_ words: [String]) throws -> TrainingRecipe { try Train.parse(words).recipe() }

    private func headEpochs(_ recipe: TrainingRecipe) -> Int? { recipe.phases(imageCount: 800).first?.epochs }

    @Test func withoutOptionsTheBuiltInBaseIsMeant() throws {
        let recipe = try recipe(["photos"])
        #expect(recipe.base.id == "pocket" && recipe.head == [.standardize])
        #expect(recipe.optimizer == .adam)
        #expect(recipe.penalty == 0.2)
    }

    @Test(arguments: [
        ["photos", "--base", "inception-v3"], ["photos", "--weights", "none"], ["photos", "--cut", "mixed7"],
    ])
    func commandsOfBeforeMeanWhatTheyMeant(words: [String]) throws {
        #expect(try Train.parse(words).network.named().id == "inception-v3")
        let recipe = try recipe(words)
        #expect(recipe.head.description == "flatten,dense:1024:relu,dropout:0.2")
        #expect(recipe.optimizer == .rmsprop)
        #expect(recipe.learningRate == 1e-4)
        #expect(recipe.batchSize == 20)
        #expect(headEpochs(recipe) == 10)
        #expect(recipe.penalty == 0)
    }

    @Test func whatIsSaidHolds() throws {
        let recipe = try recipe([
            "photos", "--head", "dropout:0.5", "--optimizer", "sgd", "--learning-rate", "0.1", "--batch-size", "7",
            "--epochs", "3", "--l2", "0.25", "--input-size", "99", "--cut", "mixed5", "--resize", "nearest",
            "--weights",
            "w.h5", "--preprocessing", "unit", "--optimizer-state", "bfloat16", "--validation-split", "0", "--seed",
            "8",
        ])
        #expect(recipe.head == [.dropout(0.5)])
        #expect(recipe.optimizer == .sgd)
        #expect(recipe.learningRate == 0.1)
        #expect(recipe.batchSize == 7)
        #expect(headEpochs(recipe) == 3)
        #expect(recipe.penalty == 0.25)
        #expect(recipe.rule == ImageRule(height: 99, width: 99, resize: .nearest))
        #expect(recipe.cut == "mixed5" && recipe.weights == .file("w.h5") && recipe.preprocessing == .unit)
        #expect(recipe.optimizerState == .bfloat16 && recipe.validationSplit == nil && recipe.seed == 8)
        #expect(recipe.fineTuning == nil)
    }

    @Test func fineTuningIsAPhase() throws {
        let words = ["photos", "--epochs", "0", "--fine-tune-from", "all", "--update-statistics"]
        let whole = try recipe(words).phases(imageCount: 10)
        #expect(whole.map(\.name) == ["fine-tuning"] && whole.first?.unfrozen == .whole)
        #expect(whole.first?.epochs == 5 && whole.first?.learningRate == 1e-5 && whole.first?.updatesStatistics == true)
        let some = try recipe(["photos", "--fine-tune-from", "mixed5", "--fine-tune-learning-rate", "0.5"])
        #expect(some.fineTuning == FineTuning(.from(layer: "mixed5"), learningRate: 0.5))
    }

    @Test(arguments: [
        ("photos", "photos.keras"), ("photos/", "photos.keras"), ("/data/my leaves", "my leaves.keras"),
        ("/", "model.keras"),
        ("a/../b", "b.keras"),
    ])
    func aModelIsNamedAfterItsFolder(images: String, model: String) {
        #expect(Train.modelPath(for: images) == model)
    }
}
