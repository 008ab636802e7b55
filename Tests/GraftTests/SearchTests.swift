import Foundation
import Testing

@testable import Graft

@Suite struct SearchTests {
    private let leaves: DrawnLeaves

    init() throws { leaves = try DrawnLeaves(train: 4, validation: 1) }

    /// Small images of the network that is part of Graft: a pass takes a moment.
    private func search(_ budget: SearchBudget, options: TrainingOptions = DrawnLeaves.options) -> Search {
        var recipe = TrainingRecipe()
        recipe.inputSize = 32
        var search = Search(bases: [recipe], budget: budget, options: options)
        (search.folds, search.epochs) = (2, 5)
        return search
    }

    private func images() throws -> LabelledImages {
        try LabelledImages(at: leaves.folder, rule: TrainingRecipe().rule)
    }

    @Test func aSearchGivesAModelAndSaysWhatItIsWorth() throws {
        var model: Classifier?
        let result = try search(.trials(3)).run(on: images()) { event in
            if case .model(let classifier, _) = event { model = classifier }
        }
        // Three cuts with maps in two poolings, a vector, two joined, each on two scales: 8 · (7 + 10).
        #expect(result.trials.count { !$0.candidate.isTrained } == 8 * (7 + 7 + 3))
        #expect(result.trials.count { $0.candidate.isTrained } == 3 && model != nil)
        #expect(result.trial.isComplete && result.trial.imageCount == 20 && result.usesAllImages)
        #expect(
            result.trials.filter { $0.candidate.isTrained && $0.isComplete }.allSatisfy {
                $0.rightCount <= result.trial.rightCount
            })
        #expect(result.optimism ?? -1 >= 0 && result.heldBack?.exampleCount == 5 && !result.isInterrupted)
        #expect(result.paretoFront.last?.rightCount == result.trial.rightCount)
        try result.classifier.save(leaves.path("best.keras"))
        let again = try Classifier(contentsOf: leaves.path("best.keras"), options: DrawnLeaves.options)
        #expect(again.classNames == ["birch", "ginkgo", "maple", "oak", "willow"] && again.rule.height == 32)
        #expect(result.chart.svg.contains("millions of parameters"))
    }

    /// The recipe is what `graft train` does: another training of it, on images, comes to the same answers.
    @Test func theRecipeTrainsTheSameModel() throws {
        let images = try images()
        let result = try search(.trials(1)).run(on: images)
        let whole = try LabelledImages(at: leaves.folder, rule: result.recipe.rule)
        let trained = try ClassifierTraining(on: whole, result.recipe, options: DrawnLeaves.options).run()
        let path = whole.training.paths[3]
        let (one, other) = try (
            result.classifier.classify(contentsOf: path), trained.classify(contentsOf: path)
        )
        for (left, right) in zip(one.outputs, other.outputs) {
            // Features of a batch of 16 against those of another plan, through hundreds of steps.
            #expect(abs(left - right) < 1e-3)
        }
    }

    @Test func aStoppedSearchGivesTheBestSoFar() throws {
        var options = DrawnLeaves.options
        let flag = CancellationFlag()
        options.cancellation = flag
        var count = 0
        let result = try search(.trials(20), options: options).run(on: images()) { event in
            guard case .judged = event else { return }
            count += 1
            if count == 40 { flag.cancel() }
        }
        #expect(result.isInterrupted && result.trials.count < 60)
        #expect(try result.classifier.classify(contentsOf: images().training.paths[0]).outputs.count == 5)
    }

    @Test func oneThatIsStoppedBeforeFeaturesSaysSo() throws {
        var options = DrawnLeaves.options
        let flag = CancellationFlag()
        options.cancellation = flag
        flag.cancel()
        let error = #expect(throws: GraftError.self) { try search(.trials(2), options: options).run(on: images()) }
        #expect(error?.code == .cancelled)
    }

    @Test func theSameSearchComesToTheSameAndGoesOnFromItsJournal() throws {
        var search = search(.trials(3))
        let fresh = try search.run(on: images())
        search.journal = leaves.path("best.search.jsonl")
        let first = try search.run(on: images())
        // The last line as a killed process leaves it.
        let handle = try FileHandle(forWritingTo: URL(filePath: leaves.path("best.search.jsonl")))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"key\":".utf8))
        try handle.close()
        let size = try Data(contentsOf: URL(filePath: leaves.path("best.search.jsonl"))).count
        let second = try search.run(on: images())
        #expect(fresh.trial.candidate == first.trial.candidate)
        for other in [first, second] { #expect(other.trials.map(\.right) == fresh.trials.map(\.right)) }
        // Nothing was computed again: the times are those of the first search. The torn line was closed.
        #expect(second.trials.map(\.seconds) == first.trials.map(\.seconds))
        #expect(try Data(contentsOf: URL(filePath: leaves.path("best.search.jsonl"))).count == size + 1)
    }

    /// The same head, fine-tuned, as if it had named every image right: the model that comes out is fine-tuned too. Where somebody
    /// asks to stop it is that of the head alone, and says so.
    @Test(arguments: [false, true])
    func aFineTunedTrialIsTrainedOnAllImages(_ isStopped: Bool) throws {
        var options = DrawnLeaves.options
        let flag = CancellationFlag()
        options.cancellation = flag
        let run = try SearchRun(search(.trials(5), options: options), on: images()) { _ in }
        try run.prepare()
        try run.probe(run.search.bases[0])
        try run.anchor()
        let head = try #require(run.best)
        var candidate = head.candidate
        candidate.fineTuning = FineTuning(.whole, epochs: 1)
        try run.record(
            SearchTrial(candidate, right: head.foldSizes.map { $0 }, foldSizes: head.foldSizes, seconds: 1))
        if isStopped { flag.cancel() }
        let result = try run.finish()
        #expect(result.isInterrupted == isStopped && result.usesAllImages)
        #expect((result.recipe.fineTuning == nil) == isStopped)
        #expect(result.trial.candidate == (isStopped ? head.candidate : candidate))
        let base = try Pocket(inputShape: [32, 32, 3])
        let name = "stem_conv"
        let weights = try [result.classifier.model, base].map { try $0.layer(named: name).weights[0].scalars }
        #expect((weights[0] == weights[1]) == isStopped)
    }

    /// The head that is best so far is judged on views, and one that names every image right makes the model.
    @Test func aHeadLearnsFromViews() throws {
        let run = try SearchRun(search(.trials(20), options: DrawnLeaves.options), on: images()) { _ in }
        try run.prepare()
        try run.probe(run.search.bases[0])
        try run.anchor()
        let head = try #require(run.best)
        try run.learnFromViews()
        let trial = try #require(run.trials.last)
        #expect(trial.candidate.views == 4 && trial.candidate.features == head.candidate.features)
        #expect(trial.right[0] != nil && trial.imageCount <= trial.foldSizes.reduce(0, +))
        // Fold by fold, and no further than it is no worse.
        let judged = trial.right.prefix { $0 != nil }.count
        let same = zip(trial.right, head.right).prefix(max(judged - 1, 0))
        var (own, other) = (0, 0)
        for (right, before) in same {
            (own, other) = (own + (right ?? 0), other + (before ?? 0))
            #expect(own >= other)
        }
        try run.record(
            SearchTrial(trial.candidate, right: head.foldSizes.map { $0 }, foldSizes: head.foldSizes, seconds: 1))
        let result = try run.finish()
        #expect(result.recipe.views == 4)
        #expect(try result.recipe.augmentation == Augmentation("flip,rotate:15,zoom:0.15"))
        #expect(result.trial.candidate == trial.candidate && result.usesAllImages)
    }

    @Test func ownCandidatesJoin() throws {
        var search = search(.trials(2))
        let own = SearchCandidate(
            SearchFeatures(
                base: "pocket", cuts: ["stage3_block1_out", "top_relu"], pooling: .max, scaling: .centered),
            .network(hidden: [.dense(8, activation: .relu)], penalty: 0.01))
        search.candidates = [own]
        let result = try search.run(on: images())
        #expect(result.trials.contains { $0.candidate == own })
        search.candidates = [SearchCandidate(own.features, .nearest(3))]
        #expect(throws: GraftError.self) { try search.run(on: images()) }
    }

    @Test func whatIsNoSearchIsRefused() throws {
        let images = try images()
        #expect(throws: GraftError.self) { try search(.minutes(0)).run(on: images) }
        #expect(throws: GraftError.self) { try search(.trials(0)).run(on: images) }
        var twice = search(.trials(1))
        twice.bases += twice.bases
        #expect(throws: GraftError.self) { try twice.run(on: images) }
    }
}
