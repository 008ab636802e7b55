import Graft
import Testing

@Suite struct TrainingRecipeTests {
    @Test func withNothingSaidTheBuiltInBaseIsMeant() {
        let recipe = TrainingRecipe()
        #expect(recipe.base.id == "pocket" && recipe.weights == .builtIn)
        #expect(recipe.head == [.standardize] && recipe.penalty == 0.2 && recipe.optimizer == .adam)
        #expect(recipe.rule == ImageRule(height: Base.pocket.defaultSize, width: Base.pocket.defaultSize))
        // The penalty is for standardized features.
        #expect(TrainingRecipe(head: [.dropout(0.5)]).penalty == 0)
    }

    @Test func largerBasesTrainAsTheTutorialsHaveIt() {
        let recipe = TrainingRecipe(base: .inceptionV3)
        #expect(recipe.weights == .imagenet && recipe.cut == Base.inceptionV3.defaultCut)
        #expect(recipe.head.description == "flatten,dense:1024:relu,dropout:0.2")
        #expect(recipe.optimizer == .rmsprop && recipe.learningRate == 1e-4 && recipe.batchSize == 20)
        #expect(recipe.phases(imageCount: 800).map(\.epochs) == [10])
    }

    @Test(arguments: [(10, 100), (400, 100), (800, 50), (4000, 10), (100_000, 10)])
    func epochsFollowFromTheNumberOfImages(images: Int, epochs: Int) {
        #expect(TrainingRecipe().phases(imageCount: images).map(\.epochs) == [epochs])
    }

    @Test func theBaseTrainsAfterTheHead() {
        var recipe = TrainingRecipe()
        recipe.epochs = 2
        recipe.fineTuning = FineTuning(.from(layer: "block5"), epochs: 3, updatesStatistics: true)
        let phases = recipe.phases(imageCount: 10)
        #expect(phases.map(\.name) == ["head", "fine-tuning"] && phases.map(\.epochs) == [2, 3])
        #expect(phases.map(\.event) == [nil, "unfrozen from block5"])
        #expect(phases.map(\.updatesStatistics) == [false, true])
        recipe.epochs = 0
        #expect(recipe.phases(imageCount: 10).map(\.name) == ["fine-tuning"])
    }

    @Test func aModelHasItsClassesAndItsRule() throws {
        var recipe = TrainingRecipe(base: .inceptionV3, head: [.averagePool])
        (recipe.weights, recipe.inputSize, recipe.cut, recipe.resize) = (.none, 75, "mixed0", .nearest)
        let network = try recipe.network()
        let model = try recipe.model(on: network, classNames: ["a", "b", "c"])
        #expect(model.metadata.classNames == ["a", "b", "c"])
        #expect(try model.metadata.inputRule == .image(ImageRule(height: 75, width: 75, resize: .nearest)))
        #expect(try model.output.shape == [3] && model.outputs.first?.layer is Dense)
        // 256 features for each of three classes, and three biases: the base is frozen.
        #expect(model.trainableVariables.map(\.shape.elementCount) == [768, 3])
        #expect(try recipe.features(of: model).output.shape.last == 256)
        // One output says both of two classes.
        #expect(try recipe.model(on: recipe.network(), classNames: ["a", "b"]).output.shape == [1])
        recipe.cut = "mixd0"
        let error = #expect(throws: GraftError.self) { try recipe.model(on: network, classNames: ["a", "b"]) }
        #expect(error?.message.contains("no layer called “mixd0” to cut it at") == true)
    }
}
