import Foundation
import Graft
import Testing

@Suite struct SeveralCutsTests {
    private func recipe(_ cut: String, _ head: Head) -> TrainingRecipe {
        var recipe = TrainingRecipe(base: .pocket, head: head)
        (recipe.inputSize, recipe.cut) = (64, cut)
        return recipe
    }

    @Test func cutsArePooledAndJoined() throws {
        let recipe = recipe("stage3_block1_out+stage4_block1_out", [.averagePool, .standardize])
        let model = try recipe.model(on: recipe.network(), classNames: ["a", "b", "c"])
        let joined = try model.layer(named: "cuts").output
        #expect(joined.shape == [128 + 256])
        // Each has the same share of the squared length: √(192 / 128) and √(192 / 256).
        let balance = try #require(try model.layer(named: "balance") as? Rescaling)
        guard case .channels(let scales) = balance.scale else { throw GraftError(.state, "one scale for all") }
        #expect(abs(scales[0] - 1.224744871) < 1e-8 && abs(scales[383] - 0.866025404) < 1e-8)
    }

    @Test func aModelOfSeveralCutsLearnsAndIsSaved() throws {
        let leaves = try DrawnLeaves(train: 4, validation: 1)
        var recipe = recipe("stage3_block1_out+features", [.maxPool, .standardize])
        (recipe.inputSize, recipe.epochs, recipe.learningRate) = (32, 8, 0.01)
        let classifier = try Classifier.train(on: leaves.folder, recipe, options: DrawnLeaves.options)
        try classifier.save(leaves.path("cuts.keras"))
        let path = try leaves.images[0]
        let again = try Classifier(contentsOf: leaves.path("cuts.keras"), options: DrawnLeaves.options)
        #expect(try again.classify(contentsOf: path) == classifier.classify(contentsOf: path))
    }

    @Test(arguments: [
        (cut: "stage3_block1_out+stage4_block1_out", head: "flatten"),
        (cut: "stage3_block1_out+stage3_block1_out", head: "average-pool"),
        (cut: "stage3_block1_out+nothing", head: "average-pool"), (cut: "stage3_block1_out+", head: "average-pool"),
    ])
    func whatCannotBeJoinedIsSaid(_ wrong: (cut: String, head: String)) throws {
        let recipe = try recipe(wrong.cut, Head(wrong.head))
        let network = try recipe.network()
        let error = #expect(throws: GraftError.self) { try recipe.model(on: network, classNames: ["a", "b"]) }
        #expect(error?.code == .argument)
    }
}
