import GraftGraph
import GraftImages
import GraftModel
import GraftTraining

/// Stage 3: the best head on views of the images, and some of its base after it (LP-FT, Kumar et al., arXiv:2202.10054).
extension SearchRun {
    /// So many views of each image.
    private static let viewCount = 4

    /// Trains the best head on views of the images, fold by fold, as long as that is no worse than on the images themselves.
    func learnFromViews() throws {
        guard let best, let base = bases[best.candidate.features.base] else { return }
        guard search.budget.trials.map({ trials.count(where: \.candidate.isTrained) < $0 }) ?? true else { return }
        var candidate = best.candidate
        candidate.views = Self.viewCount
        try follow(candidate, beside: best, base)
    }

    /// Fine-tunes the best head's base from its last cut but one, and all of it, fold by fold, as long as that is no worse than the
    /// head alone on the same folds.
    func fineTune() throws {
        guard let best, let base = bases[best.candidate.features.base] else { return }
        var left = search.budget.trials.map { $0 - trials.count(where: \.candidate.isTrained) } ?? .max
        for part in Self.parts(of: base, best.candidate.features) where left > 0 && !isStopped {
            left -= 1
            var candidate = best.candidate
            candidate.fineTuning = FineTuning(part)
            try follow(candidate, beside: best, base)
        }
    }

    /// What of a base trains: from the last cut before the head's first one that has weights after it, where there is one, and all.
    private static func parts(of base: BaseFeatures, _ features: SearchFeatures) -> [UnfrozenPart] {
        let cuts = base.recipe.base.cuts
        let first = features.cuts.compactMap { cuts.firstIndex(of: $0) }.min() ?? 0
        let counts = base.cuts.parameterCounts
        let all = features.cuts.compactMap { counts[$0] }.max() ?? 0
        let last = cuts.prefix(first).last { counts[$0] ?? all < all }
        return (last.map { [.from(layer: $0)] } ?? []) + [.whole]
    }

    private func follow(_ candidate: SearchCandidate, beside best: SearchTrial, _ base: BaseFeatures) throws {
        for fold in folds.indices {
            guard !isStopped, hasTime(for: candidate, from: fold, base) else { return }
            guard try judgeTuned(candidate, fold: fold, base), let trial = trial(of: candidate) else { return }
            let rightBefore = best.right.prefix(fold + 1).reduce(0) { $0 + ($1 ?? 0) }
            guard trial.rightCount >= rightBefore else { return }
        }
        guard let trial = trial(of: candidate), trial == self.best else { return }
        try tell(.better(trial))
        // The final training is of this kind now.
        if let seconds = secondsOfTheFinal(candidate, base) { clock.reserve += seconds }
    }

    /// What the training of all images takes, of a candidate that was judged.
    func secondsOfTheFinal(_ candidate: SearchCandidate, _ base: BaseFeatures) -> Double? {
        let count = images.training.count
        guard candidate.fineTuning == nil, let views = candidate.views else {
            return secondsOfTuning(count, candidate, base)
        }
        // What was judged on has its features.
        let passes = Double(views * (count - sample.count)) * base.secondsPerImage * SearchCosts.margin
        return passes + (costs.seconds("views \(base.recipe.base.id)", units: Double(count)) ?? 0)
    }

    /// Whether there is time for the folds from this one on, and for the final training.
    private func hasTime(for candidate: SearchCandidate, from fold: Int, _ base: BaseFeatures) -> Bool {
        if candidate.fineTuning == nil, let views = candidate.views {
            return hasTime(forViews: views, from: fold, base)
        }
        let training = sample.count - sample.count / folds.count
        guard let one = secondsOfTuning(training, candidate, base),
            let all = secondsOfTuning(images.training.count, candidate, base)
        else { return true }
        return clock.fits(one * Double(folds.count - fold) + all)
    }

    /// The features of views are computed once, most of them for the first fold; a head on them takes little beside.
    private func hasTime(forViews views: Int, from fold: Int, _ base: BaseFeatures) -> Bool {
        let passes = fold == 0 ? Double(views * images.training.count) * base.secondsPerImage * SearchCosts.margin : 0
        let one = costs.seconds("views \(base.recipe.base.id)", units: Double(sample.count)) ?? 0
        return clock.fits(passes + one * Double(folds.count - fold + 1))
    }

    /// What fine-tuning on so many images takes; before anything was measured, an epoch four times a pass.
    func secondsOfTuning(_ count: Int, _ candidate: SearchCandidate, _ base: BaseFeatures) -> Double? {
        let units = Double(count * ((candidate.fineTuning?.epochs ?? 0) + 1))
        return costs.seconds("tuning \(candidate.features.base)", units: units)
            ?? SearchCosts.margin * 4 * units * base.secondsPerImage
    }

    /// - Returns: whether it was trained to its end.
    private func judgeTuned(_ candidate: SearchCandidate, fold: Int, _ base: BaseFeatures) throws -> Bool {
        let before = trial(of: candidate) ?? unjudged(candidate)
        if let known = remembered(candidate), let right = known.right[fold] {
            try record(before.judged(fold: fold, right: right, seconds: known.seconds))
            return true
        }
        guard let recipe = recipe(of: candidate, imageCount: sample.count) else {
            return false
        }
        let watch = Stopwatch()
        let training = foldNumbers.indices.filter { foldNumbers[$0] != fold }.map { sample[$0] }.sorted()
        let examples = try images.training.subset(training, rule: recipe.rule)
        guard let classifier = try train(recipe, on: examples) else { return false }
        let held = try images.training.subset(folds[fold].map { sample[$0] }, rule: recipe.rule)
        let evaluation = try classifier.model.evaluate(held, metrics: [.accuracy], options: classifier.options)
        let right = Int(((evaluation.figures["accuracy"] ?? 0) * Double(evaluation.exampleCount)).rounded())
        if let fineTuning = candidate.fineTuning {
            costs.note(
                "tuning \(candidate.features.base)", units: Double(training.count * (fineTuning.epochs + 1)),
                seconds: watch.seconds)
        } else if fold > 0 {
            // The first fold computes features.
            costs.note("views \(candidate.features.base)", units: Double(training.count), seconds: watch.seconds)
        }
        try record(before.judged(fold: fold, right: right, seconds: before.seconds + watch.seconds))
        return true
    }

    /// A recipe's training on images; `nil` where the time was over, or somebody asked to stop, before its end.
    ///
    /// - Parameter isFinal: whether time alone does not end it, as it was kept for it.
    func train(_ recipe: TrainingRecipe, on examples: ImageDataset, isFinal: Bool = false) throws -> Classifier? {
        let whole = LabelledImages(images, training: examples, validation: nil, test: nil)
        let flag = CancellationFlag()
        var options = search.options
        (options.cancellation, options.precision) = (flag, .float32)
        if options.features.location == .none { options.features.location = .temporary }
        let watching = EventHandler { [self] event in
            switch event {
            case .step, .features: if isFinal ? isCancelled : isStopped { flag.cancel() }
            default: break
            }
        }
        let training = try ClassifierTraining(on: whole, recipe, options: options)
        do {
            let classifier = try training.run(callbacks: [watching])
            return training.outcome.isInterrupted ? nil : classifier
        } catch let error as GraftError where error.code == .cancelled {
            return nil
        }
    }
}
