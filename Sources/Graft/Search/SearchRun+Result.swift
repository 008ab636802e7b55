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
            let recipe = recipe(of: candidate, imageCount: sample.count)
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

    /// The best trained on all images, where there is time for it.
    func finish() throws -> SearchResult {
        var chosen = try best ?? trials.last { $0.candidate.isTrained } ?? unjudged(plainCandidate())
        try tell(.finishing(chosen))
        let tuned = try trainedOnImages(chosen.candidate)
        let isWhole = tuned != nil || images.training.count == sample.count
        if tuned == nil, chosen.candidate.takesImages {
            // No time, or no patience, to train on images again: the best of the others.
            let others = trials.filter { $0.candidate.isTrained && !$0.candidate.takesImages }
            chosen = try SearchSelection.best(others) ?? unjudged(plainCandidate())
        }
        let final = try tuned ?? model(of: chosen.candidate)
        guard let recipe = recipe(of: chosen.candidate, imageCount: isWhole ? images.training.count : sample.count)
        else {
            throw GraftError(.state, "\(chosen.candidate) cannot be trained")
        }
        let secondsPerImage = bases[chosen.candidate.features.base]?.secondsPerImage ?? 0
        let heldBack = try heldBack(final, secondsPerImage: secondsPerImage)
        return SearchResult(
            classifier: try calibrated(final, secondsPerImage: secondsPerImage), recipe: recipe, trial: chosen,
            trials: trials,
            accuracyOfChoosing: SearchSelection.accuracyOfChoosing(trials.filter(\.candidate.isTrained)),
            heldBack: heldBack,
            secondsPerImage: bases.mapValues(\.secondsPerImage), parameterCounts: parameterCounts,
            imageCount: isWhole ? images.training.count : sample.count, usesAllImages: isWhole,
            isInterrupted: isCancelled, seconds: clock.elapsed)
    }

    /// The recipe that trains a candidate on so many images; `nil` where its base has no features here.
    func recipe(of candidate: SearchCandidate, imageCount: Int) -> TrainingRecipe? {
        // About as many steps whatever the number of images.
        let epochs = search.epochs ?? min(max(40_000 / max(imageCount, 1), 10), 100)
        return bases[candidate.features.base].flatMap {
            candidate.recipe(from: $0.recipe, epochs: epochs, seed: search.seed)
        }
    }

    /// What is trained where nothing was judged: the head of the model that was handed out.
    private func plainCandidate() throws -> SearchCandidate {
        guard let anchored else { throw GraftError(.state, "nothing was trained yet") }
        return anchored
    }

    /// Trains on the images themselves, where there are more than are judged on or the base trains too; `nil` where features in
    /// memory do, where there is no time, or somebody asks to stop meanwhile.
    private func trainedOnImages(_ candidate: SearchCandidate) throws -> Classifier? {
        let count = images.training.count
        guard !isCancelled, count > sample.count || candidate.takesImages,
            let base = bases[candidate.features.base], let recipe = recipe(of: candidate, imageCount: count)
        else { return nil }
        let pass = base.secondsPerImage * Double(count) * SearchCosts.margin
        let needed = candidate.takesImages ? secondsOfTheFinal(candidate, base) ?? pass : pass
        if let left = clock.leftUntilEnd, needed > left { return nil }
        return try train(
            recipe, on: images.training.subset(Array(0..<count), rule: recipe.rule), isFinal: true)
    }

    /// Images that take no part in the search; those for test where there are such.
    var heldBackImages: ImageDataset? {
        [images.test, images.validation].lazy.compactMap(\.self).first { $0.count > 0 }
    }

    /// What the model is worth on images that took no part, where there are such.
    private func heldBack(_ classifier: Classifier, secondsPerImage: Double) throws -> Evaluation? {
        guard !isCancelled, let part = heldBackImages else { return nil }
        if let left = clock.leftUntilEnd, secondsPerImage * Double(part.count) > left { return nil }
        let examples = try part.subset(Array(0..<part.count), rule: classifier.rule)
        return try classifier.model.evaluate(examples, options: classifier.options)
    }

    /// Has the model remember how sure its answers are, where there are images of validation, which took no part, and time to look at
    /// them and at some of training.
    private func calibrated(_ classifier: Classifier, secondsPerImage: Double) throws -> Classifier {
        guard !isCancelled, let validation = images.validation else { return classifier }
        let training = images.training
        let count = min(validation.count, 1000) + min(training.count, 512)
        if let left = clock.leftUntilEnd, secondsPerImage * Double(count) * SearchCosts.margin > left {
            return classifier
        }
        try classifier.calibrate(
            on: validation.subset(Array(0..<validation.count), rule: classifier.rule),
            training: training.subset(Array(0..<training.count), rule: classifier.rule))
        return try Classifier(classifier.model, options: classifier.options)
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
