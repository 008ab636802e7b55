import GraftGraph
import GraftImages
import GraftModel
import GraftTraining

/// One search, from the images to the model.
final class SearchRun {
    let search: Search
    let images: LabelledImages
    let tell: (SearchEvent) throws -> Void
    var clock: SearchClock
    var costs = SearchCosts()
    var trials: [SearchTrial] = []
    /// Where a candidate's trial is.
    var places: [SearchCandidate: Int] = [:]
    /// By the base's id.
    var bases: [String: BaseFeatures] = [:]
    /// The bases in the order in which they were computed.
    var order: [String] = []
    /// Bases whose features took too long at first.
    var postponed: [TrainingRecipe] = []
    /// The share of what is left of the time that the features of a base may take.
    var shareOfABase = SearchRun.firstShare
    /// The training images that are judged on, so ordered that the first of them have all classes and folds.
    var sample: [Int] = []
    /// By place in ``sample``.
    var labels: [Int] = []
    /// The places of each fold.
    var folds: [[Int]] = []
    /// The fold of each place.
    var foldNumbers: [Int] = []
    /// Of which images and folds trials are.
    var identity = ""
    let journal: SearchJournal?
    /// The head of the last model that was handed out.
    var anchored: SearchCandidate?

    /// - Throws: `GraftError` with code `file` where the journal cannot be read and written.
    init(
        _ search: Search, on images: LabelledImages, _ tell: @escaping (SearchEvent) throws -> Void
    ) throws(GraftError) {
        (self.search, self.images, self.tell) = (search, images, tell)
        journal = try search.journal.map { (path) throws(GraftError) in try SearchJournal(path) }
        let watch = Stopwatch()
        clock = SearchClock(seconds: search.budget.seconds) { watch.seconds }
    }

    /// Whether somebody asked to stop.
    var isCancelled: Bool { search.options.cancellation?.isCancelled == true }

    /// Whether the final training has to begin.
    var isStopped: Bool { isCancelled || clock.isOver }

    var classNames: [String] { images.classNames }

    func run() throws -> SearchResult {
        try prepare()
        for recipe in search.bases where !isStopped {
            try probe(recipe)
            if !order.isEmpty { try anchor() }
        }
        guard !order.isEmpty else {
            throw GraftError(
                .cancelled,
                isCancelled
                    ? "stopped before the features of a base were there, so nothing was learned"
                    : "the time was over before the features of a base were there; give more minutes, a smaller base or "
                        + "fewer images")
        }
        try judgeHeads()
        if !isStopped, try probePostponed() { try judgeHeads() }
        if !isStopped { try learnFromViews() }
        if !isStopped { try fineTune() }
        return try finish()
    }

    /// Trains heads until there is none left to try.
    private func judgeHeads() throws {
        if !isStopped { try judgeStarts() }
        var isGoingOn = true
        while isGoingOn, !isStopped {
            let before = trials.count
            try trainHeads()
            isGoingOn = trials.count > before
        }
    }

    // MARK: Before it begins

    /// Finds what is wrong, and divides the images.
    func prepare() throws {
        try check()
        try divide()
    }

    private func check() throws {
        try search.budget.validate()
        guard images.task == .classes else {
            throw GraftError(
                .data,
                "search chooses by the share of images whose one class is named right; these have "
                    + "\(images.task == .labels ? "several labels each" : "numbers"): train them with graft train, "
                    + "ClassifierTraining")
        }
        guard classNames.count >= 2 else {
            throw GraftError(.data, "search needs at least two classes, and there is \(classNames.count)")
        }
        guard search.folds >= 2 else {
            throw GraftError(.argument, "folds: \(search.folds); there must be at least 2")
        }
        if let epochs = search.epochs {
            guard (1...1_000_000).contains(epochs) else {
                throw GraftError(.argument, "epochs: \(epochs); a head needs 1 to 1000000")
            }
        }
        guard search.sampleLimit >= 2 * classNames.count else {
            throw GraftError(
                .argument,
                "sampleLimit: \(search.sampleLimit); \(classNames.count) classes need at least twice as many images"
            )
        }
        guard !search.bases.isEmpty else {
            throw GraftError(.argument, "bases: there is none to try; give at least one, such as pocket")
        }
        for (number, recipe) in search.bases.enumerated()
        where search.bases.prefix(number).contains(where: { $0.base.id == recipe.base.id }) {
            throw GraftError(.argument, "bases: \(recipe.base.id) is there twice; name each once")
        }
        for candidate in search.candidates {
            guard !candidate.takesImages else {
                throw GraftError(
                    .argument,
                    "candidates: \(candidate): the search itself fine-tunes the best head and tries views; leave them out"
                )
            }
            guard candidate.isTrained else {
                throw GraftError(.argument, "candidates: \(candidate) is no head that can be trained")
            }
            guard search.bases.contains(where: { $0.base.id == candidate.features.base }) else {
                throw GraftError(.argument, "candidates: \(candidate) is on a base that is not among those to try")
            }
        }
    }

    /// Divides the images into folds, and orders them so that any first part of them has each class and fold.
    private func divide() throws {
        let least = images.training.classCounts.min() ?? 0
        guard least >= 2 else {
            let place = images.training.classCounts.firstIndex(of: least) ?? 0
            throw GraftError(
                .data,
                "the class \(classNames[place]) has \(least == 0 ? "no image" : "one image"); each needs at least two")
        }
        let count = min(search.folds, least)
        let divided = try ImageFolds(
            of: images.training, count: count, seed: search.seed, groups: search.groups, threads: search.options.threads
        )
        var cells: [[Int]: [Int]] = [:]
        for (image, fold) in divided.numbers.enumerated() {
            guard let fold else { continue }
            cells[[images.training.labels[image], fold], default: []].append(image)
        }
        let ranked = cells.sorted { $0.key.lexicographicallyPrecedes($1.key) }.flatMap { key, members in
            // The middle of each one's share of its cell, so that cells end together.
            members.enumerated().map { (share: (Double($0) + 0.5) / Double(members.count), key: key, image: $1) }
        }
        sample = ranked.sorted { ($0.share, $0.image) < ($1.share, $1.image) }.prefix(search.sampleLimit).map(\.image)
        identity = divided.identity
        try arrange(divided.numbers)
        try tell(.began(images: sample.count, folds: folds.count))
    }

    /// Takes up the sample's classes and folds.
    private func arrange(_ numbers: [Int?]) throws {
        labels = sample.map { images.training.labels[$0] }
        let count = (numbers.compactMap(\.self).max() ?? 0) + 1
        foldNumbers = sample.map { numbers[$0] ?? 0 }
        folds = (0..<count).map { fold in foldNumbers.indices.filter { foldNumbers[$0] == fold } }
        guard folds.count >= 2, !folds.contains(where: { $0.count == sample.count }) else {
            throw GraftError(
                .data, "all images look the same, so that none can be kept from those that a fit learns from")
        }
    }

    /// Keeps the first images alone, as there is no time for more.
    func shorten(to count: Int) {
        sample = Array(sample.prefix(count))
        labels = Array(labels.prefix(count))
        foldNumbers = Array(foldNumbers.prefix(count))
        folds = folds.map { $0.filter { $0 < count } }
    }

    // MARK: Trials

    /// Remembers what a candidate came to, and tells.
    func record(_ trial: SearchTrial) throws {
        if let place = places[trial.candidate] {
            trials[place] = trial
        } else {
            places[trial.candidate] = trials.count
            trials.append(trial)
        }
        if let key = key(of: trial.candidate) { try journal?.add(trial, key: key) }
        try tell(.judged(trial))
    }

    func trial(of candidate: SearchCandidate) -> SearchTrial? { places[candidate].map { trials[$0] } }

    /// The best of the trained heads that were judged on every fold.
    var best: SearchTrial? { SearchSelection.best(trials.filter(\.candidate.isTrained)) }
}
