import GraftGraph
import GraftImages
import GraftLearning
import GraftModel
import GraftTraining

/// Stage 1: each base once, its features judged in closed form.
extension SearchRun {
    /// λ / n of ridge, for features whose variance is about 1.
    static let ridgePenalties = [0.01, 0.1, 0.3, 1, 3, 10, 100]
    static let neighbourCounts = [1, 5, 15]
    /// The share of what is left of the time that the features of a base may take: at first, and after the heads of the others.
    static let (firstShare, lastShare) = (0.4, 0.8)
    /// So many images show how quick a base is.
    private static let imagesToMeasure = 48

    /// Computes the features of the bases that took too long before, as far as there is time now.
    ///
    /// - Returns: whether there are more features than before.
    func probePostponed() throws -> Bool {
        let (recipes, before) = (postponed, order.count)
        postponed = []
        shareOfABase = Self.lastShare
        for recipe in recipes where !isStopped {
            try probe(recipe)
        }
        return order.count > before
    }

    /// Computes a base's features and judges them; says so where there is no time for it.
    func probe(_ recipe: TrainingRecipe) throws {
        let id = recipe.base.id
        try tell(.base(id))
        guard let features = try features(of: recipe) else { return }
        bases[id] = features
        order.append(id)
        for kind in features.kinds {
            for scaling in SearchFeatures.Scaling.allCases where !isStopped {
                let wanted = SearchFeatures(base: id, cuts: kind.cuts, pooling: kind.pooling, scaling: scaling)
                let known = Self.probes(of: wanted).map(remembered)
                guard known.contains(where: { $0?.isComplete != true }) else {
                    for case let trial? in known { try record(trial) }
                    continue
                }
                try judge(wanted, features.joined(wanted).scaled(scaling))
            }
        }
    }

    /// What is judged in closed form of some features.
    private static func probes(of features: SearchFeatures) -> [SearchCandidate] {
        let neighbours = features.scaling == .centered ? neighbourCounts : []
        return (ridgePenalties.map { .ridge(penalty: $0) } + neighbours.map { .nearest($0) })
            .map { SearchCandidate(features, $0) }
    }

    // MARK: Features

    /// Ends a pass that would take too long.
    private struct TooSlow: Error {
        let secondsPerImage: Double
    }

    private func features(of recipe: TrainingRecipe) throws -> BaseFeatures? {
        let cuts = try BaseCuts(of: recipe, recipe.network())
        do {
            return try features(of: recipe, cuts)
        } catch let slow as TooSlow {
            let id = recipe.base.id
            let needed = Int((slow.secondsPerImage * Double(sample.count)).rounded(.up))
            let fitting = Int((clock.left ?? 0) * shareOfABase / slow.secondsPerImage)
            // The first base says how many images there is time for; all others are judged on the same.
            guard order.isEmpty, fitting >= max(10 * classNames.count, 2 * folds.count) else {
                let isFirst = shareOfABase == Self.firstShare
                if isFirst { postponed.append(recipe) }
                let rest = isFirst ? "; after the heads of the others, if there is time then" : ""
                try tell(
                    .skipped(
                        base: id, reason: "its features of \(sample.count) images would take about \(needed) s\(rest)"))
                return nil
            }
            shorten(to: fitting)
            return try features(of: recipe, cuts)
        } catch let error as GraftError where error.code == .cancelled {
            return nil
        }
    }

    private func features(of recipe: TrainingRecipe, _ cuts: BaseCuts) throws -> BaseFeatures? {
        let examples = try images.training.subset(sample, rule: recipe.rule)
        let limit = clock.left.map { $0 * shareOfABase }
        let kept = try cuts.model.keptOutputs(of: examples, options: search.options) { [self] in
            if isStopped { throw GraftError(.cancelled, "stopped as asked") }
        } emit: { [self] event in
            guard case .features(let progress) = event else { return }
            try tell(.features(base: recipe.base.id, progress))
            guard let limit, let left = progress.remaining, progress.done >= Self.imagesToMeasure,
                progress.elapsed + left > limit
            else { return }
            throw TooSlow(secondsPerImage: progress.elapsed / Double(progress.done))
        }
        guard kept.indices.count == sample.count else {
            let paths = kept.failures.prefix(3).map(\.path).joined(separator: ", ")
            try tell(
                .skipped(
                    base: recipe.base.id,
                    reason: "\(kept.failures.count) images cannot be decoded, such as \(paths): take them out"))
            return nil
        }
        let computed = max(sample.count - kept.reusedCount, 1)
        return BaseFeatures(
            recipe: recipe, cuts: cuts, rows: kept.rows, widths: kept.widths,
            secondsPerImage: kept.seconds / Double(computed))
    }

    // MARK: Judging

    /// Judges ridge regressions of all penalties, and nearest neighbours where rows have one length.
    private func judge(_ features: SearchFeatures, _ scaled: BaseFeatures.Scaled) throws {
        let count = Double(sample.count)
        let size = min(count, Double(scaled.width))
        let units = size * size * (size / 6 + count / 2) * Double(Self.ridgePenalties.count)
        guard clock.fits(costs.seconds("ridge", units: units)) else { return }
        let watch = Stopwatch()
        let ridge = try HeldOutRidge(
            features: scaled.values, width: scaled.width, targets: oneAgainstRest, folds: folds)
        let predictions = try ridge.predictions(penalties: Self.ridgePenalties.map { $0 * count })
        let seconds = watch.seconds
        costs.note("ridge", units: units, seconds: seconds)
        for (penalty, values) in zip(Self.ridgePenalties, predictions) {
            let right = rightCounts { self.namedClass(values, $0) }
            try record(
                SearchTrial(
                    SearchCandidate(features, .ridge(penalty: penalty)), right: right, foldSizes: folds.map(\.count),
                    seconds: seconds / Double(Self.ridgePenalties.count)))
        }
        if features.scaling == .centered { try judgeNeighbours(features, scaled) }
    }

    private func judgeNeighbours(_ features: SearchFeatures, _ scaled: BaseFeatures.Scaled) throws {
        let watch = Stopwatch()
        let neighbours = try HeldOutNeighbours(
            features: scaled.values, width: scaled.width, folds: foldNumbers, most: Self.neighbourCounts.max() ?? 1)
        let seconds = watch.seconds / Double(Self.neighbourCounts.count)
        for count in Self.neighbourCounts {
            let named = neighbours.classes(labels, neighbours: count)
            try record(
                SearchTrial(
                    SearchCandidate(features, .nearest(count)), right: rightCounts { named[$0] },
                    foldSizes: folds.map(\.count), seconds: seconds))
        }
    }

    /// 1 for the images of a class and −1 for the others, class after class; of two classes the second alone.
    private var oneAgainstRest: [Double] {
        let classes = classNames.count == 2 ? [1] : Array(classNames.indices)
        return classes.flatMap { name in labels.map { $0 == name ? 1.0 : -1.0 } }
    }

    private func namedClass(_ values: [Double], _ image: Int) -> Int {
        let count = sample.count
        guard classNames.count > 2 else { return values[image] > 0 ? 1 : 0 }
        return classNames.indices.reduce(0) { best, name in
            values[name * count + image] > values[best * count + image] ? name : best
        }
    }

    private func rightCounts(_ named: (Int) -> Int?) -> [Int?] {
        folds.map { fold in fold.count { named($0) == labels[$0] } }
    }
}
