import Foundation
import Graft
import Testing

/// A whole model as a base, from layers and from files.
@Suite struct ModelBaseTests {
    private static func model() throws -> Model {
        let image = Input(shape: [12, 10, 3])
        let x = try Conv2D(6, kernelSize: 3, activation: .relu, name: "first")(Rescaling(1 / 255, name: "scale")(image))
        let y = try BatchNormalization(name: "normal")(Conv2D(8, kernelSize: 3, name: "second")(x))
        let pooled = try GlobalAveragePooling2D(name: "pool")(y)
        return try Model(inputs: image, outputs: Dense(4, activation: .softmax, name: "classes")(pooled), seed: 5)
    }

    @Test func aModelIsCutBeforeItsClassifier() throws {
        let base = try ModelBase(Self.model())
        #expect(base.defaultCut == "pool" && base.knowsPreprocessing && base.path == nil)
        let recipe = TrainingRecipe(model: base)
        #expect(recipe.head == [.standardize] && recipe.optimizer == .adam && recipe.penalty == 0.2)
        #expect(recipe.rule.shape == [12, 10, 3])
        let model = try recipe.model(on: recipe.network(), classNames: ["a", "b", "c"])
        #expect(model.trainableVariables.map(\.shape) == [[8, 3], [3]])
        #expect(try recipe.features(of: model).output.shape == [8])
        var higher = recipe
        higher.cut = "second"
        #expect(higher.head == [.averagePool, .standardize])
        higher.cut = "secnod"
        let error = #expect(throws: GraftError.self) { try higher.model(on: higher.network(), classNames: ["a", "b"]) }
        #expect(error?.message.contains("nearest: second") == true)
    }

    @Test func theModelItselfStaysAsItIs() throws {
        let whole = try Self.model()
        let before = whole.weights
        let leaves = try DrawnLeaves()
        var recipe = TrainingRecipe(model: try ModelBase(whole))
        (recipe.epochs, recipe.batchSize, recipe.fineTuning) = (1, 8, FineTuning(.from(layer: "second"), epochs: 1))
        let classifier = try Classifier.train(on: leaves.folder, recipe, options: DrawnLeaves.options)
        #expect(whole.weights == before && whole.trainable)
        // What is below stays frozen, what is above was learned.
        let first = try classifier.model.layer(named: "first").weights
        #expect(try first == whole.layer(named: "first").weights)
        #expect(try classifier.model.layer(named: "second").weights != whole.layer(named: "second").weights)
        let path = leaves.path("again.keras")
        try classifier.save(path)
        #expect(try Classifier(contentsOf: path).classNames == classifier.classNames)
        // What was trained is a base again.
        #expect(try ModelBase(contentsOf: path).defaultCut == "pool")
    }

    @Test func anOnnxFileIsABase() throws {
        let leaves = try DrawnLeaves()
        let path = leaves.path("model.onnx")
        try Self.model().exportONNX(to: path)
        let base = try ModelBase(contentsOf: path)
        #expect(try base.checksum()?.digits.count == 64)
        var recipe = TrainingRecipe(model: base)
        (recipe.epochs, recipe.batchSize) = (1, 8)
        let classifier = try Classifier.train(on: leaves.folder, recipe, options: DrawnLeaves.options)
        #expect(try classifier.classify(contentsOf: leaves.images[0]).classes.count == 5)
        #expect(graftError { _ = try ModelBase(contentsOf: path, inputSize: 64) }?.code == .shape)
    }

    @Test func preprocessingCanGoBeforeIt() throws {
        var recipe = TrainingRecipe(model: try ModelBase(Self.model()))
        recipe.preprocessing = .signedUnit
        let network = try recipe.network()
        #expect(network.layers.map(\.name).prefix(3) == [network.layers[0].name, "rescaling", "scale"])
        recipe.inputSize = 20
        #expect(graftError { _ = try recipe.network() }?.code == .shape)
        recipe.weights = .imagenet
        recipe.inputSize = 12
        #expect(graftError { _ = try recipe.network() }?.code == .argument)
    }

    @Test func whatIsNoBaseIsRefused() throws {
        let dense = try Sequential([Flatten(), Dense(2)], inputShape: [4, 4, 3])
        #expect(graftError { _ = try ModelBase(dense) }?.message.contains("nothing before it") == true)
        let vector = try Sequential([Dense(2)], inputShape: [4])
        #expect(graftError { _ = try ModelBase(vector) }?.message.contains("does not take images") == true)
    }

    private func graftError(_ body: () throws -> Void) -> GraftError? {
        do {
            try body()
            return nil
        } catch { return error as? GraftError }
    }
}
