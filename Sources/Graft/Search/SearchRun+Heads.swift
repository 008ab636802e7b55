import GraftGraph
import GraftImages
import GraftModel
import GraftTraining

/// Stage 2: heads that are trained, on the features that stage 1 found.
extension SearchRun {
    /// How many kinds of features heads are trained on, beside the best of each base.
    private static let featureCount = 8

    // MARK: The first model

    /// Trains and judges a plain head on the best features so far, unless it was, so that there is a model whatever comes.
    func anchor() throws {
        let first = try rankedFeatures.first ?? usualFeatures(of: order.first)
        let candidate = SearchCandidate(first, .network(hidden: [], penalty: penalty(for: first)))
        guard anchored != candidate else { return }
        let watch = Stopwatch()
        let classifier = try model(of: candidate)
        anchored = candidate
        // Twice: the final training, and the head's way onto the network with it.
        clock.reserve = 2 * watch.seconds + secondsOfTheEnd(candidate.features)
        try tell(.model(classifier, trial(of: candidate) ?? unjudged(candidate)))
        try judgeWhole(candidate)
    }

    /// Judges one's own heads, and the usual one of each base.
    func judgeStarts() throws {
        let most = search.budget.trials ?? .max
        let own = search.candidates.filter { bases[$0.features.base] != nil }
        for other in try own + order.map(usual) where trials.count(where: \.candidate.isTrained) < most {
            try judgeWhole(other)
        }
    }

    /// Judges a head on all folds, where there is time.
    private func judgeWhole(_ candidate: SearchCandidate) throws {
        for fold in folds.indices where !isStopped { try judge(candidate, fold: fold) }
        if let best, best.candidate == candidate { try tell(.better(best)) }
    }

    /// What a base is worth where nobody looks at the images: a linear head on the features that it is usually cut at. Beside
    /// the best by ridge, which chance helps, it is the second start of every search.
    private func usual(_ base: String) throws -> SearchCandidate {
        let features = try usualFeatures(of: base)
        let own = bases[base]?.recipe.penalty ?? 0
        return SearchCandidate(
            features, .network(hidden: [], penalty: own > 0 ? own : penalty(for: features)))
    }

    /// The features that a base is usually cut at.
    func usualFeatures(of base: String?) throws(GraftError) -> SearchFeatures {
        guard let base, let own = bases[base],
            let output = own.cuts.outputs.first(where: { $0.cut == own.recipe.base.defaultCut })
                ?? own.cuts.outputs.last
        else { throw GraftError(.state, "no base has features here") }
        return SearchFeatures(base: base, cuts: [output.cut], pooling: output.pooling, scaling: .standardize)
    }

    func unjudged(_ candidate: SearchCandidate) -> SearchTrial {
        SearchTrial(candidate, right: folds.map { _ in nil }, foldSizes: folds.map(\.count), seconds: 0)
    }

    /// What follows a head's training at the end: a pass over all images where more are trained on than are judged on, and one
    /// over those that say what the model is worth.
    private func secondsOfTheEnd(_ features: SearchFeatures) -> Double {
        let count = images.training.count
        let passes = (count > sample.count ? count : 0) + (heldBackImages?.count ?? 0)
        return (bases[features.base]?.secondsPerImage ?? 0) * Double(passes) * SearchCosts.margin
    }

    // MARK: Halving

    /// Trains heads on one fold, the better half of them on another, the better half of those on all.
    func trainHeads() throws {
        var pending = try affordable(proposals.filter { trial(of: $0) == nil })
        let rungs = [0..<1, 1..<2, 2..<folds.count].filter { !$0.isEmpty && $0.upperBound <= folds.count }
        for (number, rung) in rungs.enumerated() {
            for candidate in pending {
                for fold in rung {
                    guard !isStopped else { return }
                    try judge(candidate, fold: fold)
                }
                if number == rungs.count - 1, let best, best.candidate == candidate { try tell(.better(best)) }
            }
            pending = survivors(of: pending)
        }
    }

    /// The first of some candidates, as many as all rungs have time for; as many as were asked for where that is the budget.
    private func affordable(_ candidates: [SearchCandidate]) throws -> [SearchCandidate] {
        if let most = search.budget.trials {
            return Array(candidates.prefix(max(most - trials.count(where: \.candidate.isTrained), 0)))
        }
        guard let left = clock.left else { return candidates }
        // One fold for all, one for half of them, the others for a quarter.
        let foldsOfEach = 1.5 + Double(max(folds.count - 2, 0)) / 4
        var seconds = 0.0
        return try candidates.prefix { candidate in
            seconds += try foldsOfEach * (secondsOfAFold(candidate) ?? 0)
            return seconds < left
        }
    }

    private func secondsOfAFold(_ candidate: SearchCandidate) throws -> Double? {
        guard let base = bases[candidate.features.base],
            let recipe = recipe(of: candidate, imageCount: sample.count)
        else { return nil }
        let width = try base.joined(candidate.features).width
        let units = Double(sample.count * (recipe.epochs ?? 1)) * work(candidate, width: width)
        return costs.seconds("head", units: units)
    }

    /// The better half, those not judged at all left out; of equal ones the first.
    private func survivors(of candidates: [SearchCandidate]) -> [SearchCandidate] {
        let judged = candidates.enumerated().compactMap { place, candidate in
            trial(of: candidate).map { (place: place, accuracy: $0.accuracy) }
        }
        let kept = judged.sorted { ($1.accuracy, $0.place) < ($0.accuracy, $1.place) }.prefix((judged.count + 1) / 2)
        return kept.map(\.place).sorted().map { candidates[$0] }
    }

    /// Trains a head on all folds but one and judges it on that, where there is time.
    private func judge(_ candidate: SearchCandidate, fold: Int) throws {
        guard let base = bases[candidate.features.base],
            let recipe = recipe(of: candidate, imageCount: sample.count)
        else { return }
        let before = trial(of: candidate) ?? unjudged(candidate)
        guard before.right[fold] == nil else { return }
        if let known = remembered(candidate), let right = known.right[fold] {
            return try record(before.judged(fold: fold, right: right, seconds: known.seconds))
        }
        let features = try base.joined(candidate.features)
        let training = foldNumbers.indices.filter { foldNumbers[$0] != fold }
        let units = Double(training.count * (recipe.epochs ?? 1)) * work(candidate, width: features.width)
        guard clock.fits(costs.seconds("head", units: units)) else { return }
        let watch = Stopwatch()
        let trainer = trainer(recipe, features)
        guard let model = try trainer.train(on: training, isStopped: { [self] in isStopped }) else { return }
        let right = try trainer.rightCount(model, on: folds[fold])
        costs.note("head", units: units, seconds: watch.seconds)
        try record(before.judged(fold: fold, right: right, seconds: before.seconds + watch.seconds))
    }

    /// Multiplications for an image, and what a step costs beside them.
    private func work(_ candidate: SearchCandidate, width: Int) -> Double {
        guard case .network(let hidden, _) = candidate.method else { return 0 }
        var (inputs, sum) = (width, 0)
        for case .dense(let units, _) in hidden.parts {
            sum += inputs * units
            inputs = units
        }
        return Double(sum + inputs * classNames.count) + 2e4
    }

    func trainer(_ recipe: TrainingRecipe, _ features: BaseFeatures.Scaled) -> HeadTrainer {
        HeadTrainer(recipe, features, labels: labels, classNames: classNames, options: search.options)
    }

    // MARK: What is tried

    /// The heads to train: plain ones on all promising features first, then others.
    private var proposals: [SearchCandidate] {
        let ranked = rankedFeatures
        var chosen = Array(ranked.prefix(Self.featureCount))
        for base in order where !chosen.contains(where: { $0.base == base }) {
            if let best = ranked.first(where: { $0.base == base }) { chosen.append(best) }
        }
        let kinds: [(hidden: Head, factor: Double)] = [
            ([], 1), ([.dense(256, activation: .relu), .dropout(0.5)], 0.1), ([], 0.2), ([.dropout(0.5)], 0.2), ([], 5),
        ]
        let proposed = kinds.flatMap { kind in
            chosen.map {
                SearchCandidate($0, .network(hidden: kind.hidden, penalty: penalty(for: $0, times: kind.factor)))
            }
        }
        return proposed
    }

    /// Features by the best ridge regression on them; of equal ones the first.
    private var rankedFeatures: [SearchFeatures] {
        var best: [SearchFeatures: (right: Int, place: Int)] = [:]
        for (place, trial) in trials.enumerated() {
            guard case .ridge = trial.candidate.method, trial.isComplete else { continue }
            let known = best[trial.candidate.features]
            best[trial.candidate.features] = (max(known?.right ?? 0, trial.rightCount), known?.place ?? place)
        }
        return best.sorted { ($1.value.right, $0.value.place) < ($0.value.right, $1.value.place) }.map(\.key)
    }

    /// The penalty of a head's cross-entropy that does about what the best λ / n of ridge does: the squared error of targets
    /// ±1 bends eight times as much in the middle (2 against 1/4).
    private func penalty(for features: SearchFeatures, times factor: Double = 1) -> Float {
        let own = trials.filter { $0.candidate.features == features && $0.isComplete }
        let ridges = own.compactMap { trial -> (penalty: Double, right: Int)? in
            guard case .ridge(let penalty) = trial.candidate.method else { return nil }
            return (penalty, trial.rightCount)
        }
        let best = ridges.max { $0.right < $1.right }?.penalty ?? 1
        return Float(best * factor / 8)
    }
}
