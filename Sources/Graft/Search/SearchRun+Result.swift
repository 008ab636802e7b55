import GraftGraph
import GraftImages
import GraftModel
import GraftTraining

/// Stage 3: the model.
extension SearchRun {
    /// A candidate trained on all images that are judged on, on its network.
    ///
    /// - Throws: `GraftError` where its base was not computed.
    func model(of candidate: SearchCandidate) throws -> Classifier {
        guard let base = bases[candidate.features.base],
            let recipe = candidate.recipe(from: base.recipe, imageCount: sample.count, seed: search.seed)
        else { throw GraftError(.state, "\(candidate) cannot be trained, as its base has no features here") }
        let trainer = try trainer(recipe, base.joined(candidate.features))
        // In the order of the data set, as every training has them.
        let order = sample.indices.sorted { sample[$0] < sample[$1] }
        guard let head = try trainer.train(on: order) else {
            throw GraftError(.state, "the training of \(candidate) ended by itself")
        }
        let model = try trainer.whole(head, on: recipe.network())
        model.metadata.setInputRule(.image(recipe.rule))
        var options = search.options
        (options.cancellation, options.profiler) = (nil, nil)
        return try Classifier(model, options: options)
    }

    /// The best head trained on all images, where there is time for it.
    func finish() throws -> SearchResult {
        let chosen = try best ?? trials.last { $0.candidate.isTrained } ?? unjudged(lastCandidate())
        try tell(.finishing(chosen))
        guard let base = bases[chosen.candidate.features.base],
            let recipe = chosen.candidate.recipe(
                from: base.recipe, imageCount: images.training.count, seed: search.seed)
        else { throw GraftError(.state, "\(chosen.candidate) cannot be trained") }
        let isWhole = images.training.count == sample.count
        let all = !isWhole && !isCancelled ? try trainedOnAll(recipe, base) : nil
        let classifier = try all ?? model(of: chosen.candidate)
        return SearchResult(
            classifier: classifier, recipe: recipe, trial: chosen, trials: trials,
            accuracyOfChoosing: SearchSelection.accuracyOfChoosing(trials.filter(\.candidate.isTrained))
                ?? chosen.accuracy,
            heldBack: try heldBack(classifier),
            secondsPerImage: bases.mapValues(\.secondsPerImage), parameterCounts: parameterCounts,
            imageCount: all == nil ? sample.count : images.training.count, usesAllImages: isWhole || all != nil,
            isInterrupted: isCancelled, seconds: clock.elapsed)
    }

    private func lastCandidate() throws -> SearchCandidate {
        guard let base = order.first, let output = bases[base]?.cuts.outputs.last else {
            throw GraftError(.state, "no base has features")
        }
        return SearchCandidate(
            SearchFeatures(base: base, cuts: [output.cut], pooling: output.pooling, scaling: .standardize),
            .network(hidden: [], penalty: 0.1))
    }

    /// Trains on more images than are judged on; `nil` where there is no time, or somebody asks to stop meanwhile.
    private func trainedOnAll(_ recipe: TrainingRecipe, _ base: BaseFeatures) throws -> Classifier? {
        let needed = base.secondsPerImage * Double(images.training.count) * SearchCosts.margin
        if let left = clock.leftUntilEnd, needed > left { return nil }
        let whole = LabelledImages(
            images, training: try images.training.subset(Array(0..<images.training.count), rule: recipe.rule),
            validation: nil, test: nil)
        let training = try ClassifierTraining(on: whole, recipe, options: search.options)
        do {
            let classifier = try training.run()
            return training.outcome.isInterrupted ? nil : classifier
        } catch let error as GraftError where error.code == .cancelled {
            return nil
        }
    }

    /// What the model is worth on images that took no part, where there are such.
    private func heldBack(_ classifier: Classifier) throws -> Evaluation? {
        guard !isCancelled, let part = images.test ?? images.validation, part.count > 0 else { return nil }
        let examples = try part.subset(Array(0..<part.count), rule: classifier.rule)
        return try classifier.model.evaluate(examples, options: classifier.options)
    }

    private var parameterCounts: [SearchFeatures: Int] {
        var counts: [SearchFeatures: Int] = [:]
        for features in Set(trials.map(\.candidate.features)) {
            let own = bases[features.base]?.cuts.parameterCounts ?? [:]
            counts[features] = features.cuts.compactMap { own[$0] }.max()
        }
        return counts
    }
}
