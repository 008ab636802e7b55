import Foundation
import Graft
import Testing

@Suite struct ClassifierTrainingTests {
    private let leaves: DrawnLeaves

    init() throws { leaves = try DrawnLeaves() }

    private func images(_ recipe: TrainingRecipe) throws -> ImageFolder {
        try ImageFolder(at: leaves.folder, rule: recipe.rule)
    }

    @Test func aFolderBecomesAClassifierInOneCall() throws {
        let leaves = try DrawnLeaves(train: 6, validation: 1)
        var recipe = TrainingRecipe()
        (recipe.inputSize, recipe.epochs, recipe.learningRate) = (64, 12, 0.01)
        let classifier = try Classifier.train(on: leaves.folder, recipe, options: DrawnLeaves.options)
        #expect(classifier.classNames == ["birch", "ginkgo", "maple", "oak", "willow"])
        let images = try ImageFolder(at: leaves.folder, rule: recipe.rule)
        let learned = try classifier.evaluate(images.training)
        // It knows what it was shown; guessing gives 0.2.
        #expect(learned.figures["accuracy"] ?? 0 > 0.9, "\(learned.figures)")
        try classifier.save(leaves.path("leaves.keras"))
        let path = images.training.paths[0]
        let again = try Classifier(contentsOf: leaves.path("leaves.keras"), options: classifier.options)
        #expect(try again.classify(contentsOf: path) == classifier.classify(contentsOf: path))
    }

    @Test func phasesFollowOneAnotherAndAreTold() throws {
        var recipe = DrawnLeaves.recipe
        recipe.fineTuning = FineTuning(.from(layer: "conv2d_3"), epochs: 1)
        let training = try ClassifierTraining(on: images(recipe), recipe, options: DrawnLeaves.options)
        #expect(training.phases.map(\.name) == ["head", "fine-tuning"])
        let head = training.model.trainableVariables.count
        let told = try training.phases.map { try $0.trainableParameterCount(in: training.model) }
        var seen: [Int] = []
        let counting = EventHandler { event in
            if case .began(let outline) = event { seen.append(outline.trainableParameters) }
        }
        let classifier = try training.run(callbacks: [counting])
        #expect(head == 2 && seen == told && seen[1] > seen[0])
        let outcome = training.outcome
        #expect(outcome.histories.map(\.epochs.count) == [2, 1] && outcome.epochCount == 3 && !outcome.isInterrupted)
        #expect(outcome.curve.epochs.map(\.phase) == ["head", "head", "fine-tuning"])
        #expect(outcome.curve.phases.map(\.firstEpoch) == [1, 3])
        #expect(outcome.last("val_loss") == outcome.histories[1]["val_loss"].last)
        #expect(outcome.verdict == LearningCurveDiagnosis(of: outcome.curve) && outcome.exampleCount == 30)
        #expect(classifier.model === training.model)
    }

    @Test func theEpochThatWasGivenBackIsTheOneThatCounts() throws {
        let recipe = DrawnLeaves.recipe
        let training = try ClassifierTraining(on: images(recipe), recipe, options: DrawnLeaves.options)
        // Nothing is better than the first epoch by so much.
        let stopping = EarlyStopping(minDelta: 1000, patience: 5, restoreBestWeights: true)
        _ = try training.run(callbacks: [stopping])
        let losses = training.outcome.histories[0]["val_loss"]
        #expect(stopping.bestEpoch == 1 && losses.count == 2 && losses[0] != losses[1])
        #expect(training.outcome.last("val_loss") == losses[0])
    }

    @Test func aRunThatIsStoppedIsThatOfItsLastEpoch() throws {
        var recipe = DrawnLeaves.recipe
        recipe.fineTuning = FineTuning(.whole)
        let flag = CancellationFlag()
        var options = DrawnLeaves.options
        options.cancellation = flag
        let training = try ClassifierTraining(on: images(recipe), recipe, options: options)
        let classifier = try training.run(callbacks: [EventHandler { if case .epoch = $0 { flag.cancel() } }])
        #expect(try classifier.classify(contentsOf: leaves.images[0]).classes.count == 5)
        #expect(training.outcome.epochCount == 1 && training.outcome.isInterrupted)
        // The base was not touched.
        #expect(training.model.trainableVariables.count == 2)
        let early = try ClassifierTraining(on: images(recipe), recipe, options: options)
        let error = #expect(throws: GraftError.self) { try early.run() }
        #expect(error?.code == .cancelled)
    }

    @Test func precisionIsSettledByWhatItCosts() throws {
        let recipe = DrawnLeaves.recipe
        var options = DrawnLeaves.options
        options.precision = .automatic
        let training = try ClassifierTraining(on: images(recipe), recipe, options: options)
        let settled = try training.settlePrecision()
        #expect(training.options.precision == settled.precision && settled.precision != .automatic)
        #expect((settled.distance != nil) == Precision.isBFloat16Supported)
        #expect(try training.settlePrecision(resumed: .float32).reason == .asked)
    }

    @Test func valuesOutOfRangeAreErrors() throws {
        let changes: [(String, (inout TrainingRecipe) -> Void)] = [
            ("InceptionV3 takes images of at least", { $0.inputSize = 10 }), ("", { $0.inputSize = -1 }),
            ("batchSize", { $0.batchSize = 0 }), ("penalty", { $0.penalty = -1 }),
            ("learning rate", { $0.learningRate = .nan }), ("validation split", { $0.validationSplit = 1.5 }),
            ("epochs", { $0.epochs = -1 }), ("Dense", { $0.head = [.averagePool, .dense(-3)] }),
            ("Dropout", { $0.head = [.averagePool, .dropout(2)] }),
        ]
        for (words, change) in changes {
            var recipe = DrawnLeaves.recipe
            change(&recipe)
            let folder = words == "validation split" ? leaves.path("leaves/train") : leaves.folder
            let error = #expect(throws: GraftError.self, "\(words)") {
                try Classifier.train(on: folder, recipe, options: DrawnLeaves.options)
            }
            #expect(words.isEmpty || error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
    }

    @Test(
        arguments: [
            (0, nil, "epochs: 0 leaves nothing to train; give at least 1, or a fineTuning"),
            (
                1, UnfrozenPart.from(layer: "mixed0"),
                "fineTuning: no layer of the base from mixed0 to the cut has weights; take an earlier one"
            ),
            (1, .from(layer: "mixed5"), "the model functional has no layer called mixed5; nearest: "),
        ] as [(Int, UnfrozenPart?, String)])
    func whatTrainsNothingIsRefusedBeforeItBegins(epochs: Int, part: UnfrozenPart?, message: String) throws {
        var recipe = DrawnLeaves.recipe
        recipe.epochs = epochs
        recipe.fineTuning = part.map { FineTuning($0) }
        let images = try images(recipe)
        let error = #expect(throws: GraftError.self) { try ClassifierTraining(on: images, recipe) }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }
}
