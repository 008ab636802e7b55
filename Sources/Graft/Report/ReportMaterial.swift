import GraftData
import GraftDigest
import GraftGraph
import GraftImages
import GraftLearning
import GraftModel
import GraftTraining

/// What a report is made of: what the model says of the images and what it knows of them, first of those that the answer rests on, then
/// of the others.
struct ReportMaterial {
    /// Of the images that the answer rests on.
    let paths: [String]
    let labels: [Int]
    let probabilities: ClassProbabilities
    /// Of these and of the others.
    let allPaths: [String]
    let allLabels: [Int]
    let features: Tensor
    let failures: [ExampleFailure]
    private let groups: [String: String]

    /// The rows of ``paths``.
    var answers: Range<Int> { 0..<paths.count }
    /// The rows behind them.
    var known: Range<Int> { paths.count..<allPaths.count }
    var knownCount: Int { known.count }

    init(
        _ model: Model, _ explainer: ModelExplainer, _ examples: ImageDataset, _ others: ImageDataset?,
        _ classNames: [String], _ options: ModelReport.Options
    ) throws {
        let others = try others.flatMap { try $0.spread(options.knownLimit) }
        let total = examples.count + (others?.count ?? 0)
        let datasets: [any Dataset] = [examples] + (others.map { [$0] } ?? [])
        let explained = try model.explain(datasets, explainer) { options.progress?("images", $0, total) }
        let own = explained[0]
        var probabilities = ClassProbabilities(classCount: classNames.count)
        for row in own.outputs { probabilities.append(outputs: row) }
        (self.probabilities, paths) = (probabilities, own.indices.map { examples.paths[$0] })
        labels = own.indices.map { examples.labels[$0] }
        var (allPaths, allLabels, features, failures) = (paths, labels, own.features, own.failures)
        if let others, explained.count > 1 {
            allPaths += explained[1].indices.map { others.paths[$0] }
            allLabels += explained[1].indices.map { others.labels[$0] }
            features = features.appendingRows(of: explained[1].features)
            failures += explained[1].failures
        }
        (self.allPaths, self.allLabels, self.features, self.failures) = (allPaths, allLabels, features, failures)
        groups = Self.groups(options.audit?.findings ?? [])
    }

    /// Images that are the same or look it have a name in common, one of their paths: what one fold knows, another must not be asked.
    private static func groups(_ findings: [ImageFinding]) -> [String: String] {
        var names: [String: String] = [:]
        func name(of path: String) -> String {
            var path = path
            while let next = names[path], next != path { path = next }
            return path
        }
        for finding in findings where [.duplicate, .nearDuplicate, .leak, .conflict].contains(finding.kind) {
            let all = finding.paths.map(name)
            guard let first = all.min() else { continue }
            for other in all + finding.paths { names[other] = first }
        }
        return names.keys.reduce(into: [:]) { $0[$1] = name(of: $1) }
    }

    /// The fold of each image: each class is spread over all of them, by the digests of paths, and a group is in one.
    func folds(_ count: Int) -> [Int] {
        let keys = allPaths.map { groups[$0] ?? $0 }
        var known: [String: Int] = [:]
        for members in Dictionary(grouping: keys.indices, by: { allLabels[$0] }).sorted(by: { $0.key < $1.key }) {
            let own = Set(members.value.map { keys[$0] }).map { (Self.digest($0), $0) }.sorted { $0 < $1 }
            for (place, key) in own.enumerated() where known[key.1] == nil { known[key.1] = place % count }
        }
        return keys.map { known[$0] ?? 0 }
    }

    // MARK: What follows

    static let foldCount = 5

    /// All labels, the least plausible first, by a probe that has not seen them; empty where there are too few images.
    func labels(
        _ classNames: [String], _ training: TrainingOptions, _ options: ModelReport.Options
    ) throws -> [ModelReport.Suspect] {
        options.progress?("labels", 0, Self.foldCount)
        guard Set(allLabels).count >= 2, allLabels.count >= 4 * Self.foldCount else { return [] }
        let probe = LinearProbe(
            features: features, labels: allLabels, classCount: classNames.count, options: training)
        let judged = try probe.outOfFold(folds(Self.foldCount), count: Self.foldCount)
        return LabelSuspects(judged, labels: allLabels).ranking.map { suspect in
            ModelReport.Suspect(
                path: allPaths[suspect.row], label: classNames[suspect.label],
                suggestion: classNames[suspect.suggestion], given: suspect.given, suggested: suspect.suggested,
                isSuspected: suspect.isSuspected)
        }
    }

    /// How the error of a probe on the images that the answer rests on falls with the number of the others that it learns from.
    func sampleSizes(
        _ classCount: Int, _ training: TrainingOptions, _ options: ModelReport.Options
    ) throws -> SampleSizeCurve? {
        guard known.count >= 40, Set(known.map { allLabels[$0] }).count >= 2 else { return nil }
        // In an order that has nothing to do with classes or names.
        let order = known.sorted { Self.digest("order \(allPaths[$0])") < Self.digest("order \(allPaths[$1])") }
        let shares = [0.1, 0.2, 0.4, 0.7, 1.0]
        let probe = LinearProbe(features: features, labels: allLabels, classCount: classCount, options: training)
        let others = features.rows(Array(answers))
        var points: [SampleSizeCurve.Point] = []
        for (number, share) in shares.enumerated() {
            options.progress?("learning curve", number, shares.count)
            let rows = Array(order.prefix(Int(share * Double(order.count))))
            guard rows.count >= 4, Set(rows.map { allLabels[$0] }).count >= 2 else { continue }
            let judged = try probe.probabilities(of: others, learningFrom: rows)
            let wrong = answers.count { judged.best($0) != labels[$0] }
            points.append(SampleSizeCurve.Point(count: rows.count, error: Double(wrong) / Double(labels.count)))
        }
        return SampleSizeCurve(fitting: points)
    }

    private static func digest(_ text: String) -> UInt64 {
        SHA256.hash(Array(text.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// What can be told of the images without knowing what they show.
    func properties(_ options: ModelReport.Options) -> [ImageProperties?] {
        options.progress?("properties", 0, 1)
        return ImageProperties.of(allPaths)
    }

    /// Whether new images look like those that the answer rests on; at most ``ModelReport/Options/knownLimit`` of each, spread evenly.
    func drift(
        _ classifier: Classifier, _ explainer: ModelExplainer, properties: [ImageProperties?],
        _ options: ModelReport.Options
    ) throws -> Drift? {
        guard let given = options.newImages else { return nil }
        let images = try given.spread(options.knownLimit, rule: classifier.rule)
        let explained = try classifier.model.explain([images], explainer) { done in
            options.progress?("new images", done, images.count)
        }[0]
        for (group, count) in [
            ("images that the answer rests on", paths.count), ("new images that can be read", explained.indices.count),
        ]
        where count < Drift.leastCount {
            throw GraftError(
                .data,
                "\(group): \(count); it takes at least \(Drift.leastCount) of each to tell whether new images look like the old ones"
            )
        }
        let wanted = min(paths.count, options.knownLimit)
        let rows = (0..<wanted).map { $0 * paths.count / wanted }
        let old = Drift.Group(
            paths: rows.map { paths[$0] }, probabilities: probabilities.rows(rows), features: features.rows(rows),
            properties: rows.map { properties[$0] })
        let newPaths = explained.indices.map { images.paths[$0] }
        var newProbabilities = ClassProbabilities(classCount: probabilities.classCount)
        for row in explained.outputs { newProbabilities.append(outputs: row) }
        let new = Drift.Group(
            paths: newPaths, probabilities: newProbabilities, features: explained.features,
            properties: ImageProperties.of(newPaths))
        return try Drift(old, new, classifier.calibration, failures: explained.failures)
    }

    /// More points than this show no more, and their vectors take memory.
    private static let placeLimit = 2000

    /// A map of images that the answer rests on, at equal distances where they are many.
    func places() -> ([ModelReport.Place], Double) {
        let wanted = min(answers.count, Self.placeLimit)
        let rows = (0..<wanted).map { $0 * answers.count / wanted }
        let own = features.rows(rows)
        let components = PrincipalComponents(of: Standardization(of: own)(own))
        func unit(_ axis: Int) -> [Double] {
            let values = components.coordinates.map { $0[axis] }
            let (low, high) = (values.min() ?? 0, values.max() ?? 0)
            return values.map { high > low ? ($0 - low) / (high - low) : 0.5 }
        }
        let places = zip(rows, zip(unit(0), unit(1))).map { row, place in
            ModelReport.Place(label: labels[row], x: place.0, y: place.1)
        }
        return (places, components.shares.reduce(0, +))
    }
}

extension ModelReport.Sureness {
    /// Looks at probabilities of images that the model did not learn from.
    init(_ probabilities: ClassProbabilities, labels: [Int]) {
        measured = Calibration(probabilities, labels: labels)
        temperature = Temperature(fitting: probabilities, labels: labels)
        // Each half is judged by what was fitted to the other.
        let halves = [0, 1].map { side in labels.indices.filter { $0 % 2 == side } }
        var (before, after, covered, size) = (0.0, 0.0, 0, 0)
        for (own, other) in [(halves[0], halves[1]), (halves[1], halves[0])] where !own.isEmpty && !other.isEmpty {
            let (judged, ownLabels) = (probabilities.rows(own), own.map { labels[$0] })
            let (fitted, otherLabels) = (probabilities.rows(other), other.map { labels[$0] })
            let share = Double(own.count) / Double(labels.count)
            before += share * Calibration(judged, labels: ownLabels).expectedError
            let temperature = Temperature(fitting: fitted, labels: otherLabels)
            after += share * Calibration(temperature(judged), labels: ownLabels).expectedError
            let sets = ConformalSets(fitted, labels: otherLabels)
            for (row, label) in ownLabels.enumerated() {
                let members = sets.classes(of: judged[row], coverage: 0.9)
                covered += members.contains(label) ? 1 : 0
                size += members.count
            }
        }
        heldOutErrors = (before, after)
        sets = (Double(covered) / Double(max(labels.count, 1)), Double(size) / Double(max(labels.count, 1)))
        let calibrated = temperature(probabilities)
        thresholds = [0.5, 0.7, 0.8, 0.9, 0.95, 0.99].map { threshold in
            let rows = labels.indices.filter { calibrated.confidence($0) >= threshold }
            return (threshold, Proportion(rows.count { calibrated.best($0) == labels[$0] }, of: rows.count))
        }
    }
}

extension ImageDataset {
    /// At most so many of the images, at equal distances; `nil` where none is left.
    func spread(_ limit: Int) throws(GraftError) -> ImageDataset? {
        let wanted = min(count, limit)
        guard wanted > 0 else { return nil }
        return wanted == count ? self : try subset((0..<wanted).map { $0 * count / wanted })
    }
}

extension ImageFiles {
    /// At most so many of the files, at equal distances.
    func spread(_ limit: Int, rule: ImageRule) throws(GraftError) -> ImageFiles {
        guard paths.count > limit else { return self }
        return try ImageFiles(paths: (0..<limit).map { paths[$0 * paths.count / limit] }, rule: rule)
    }
}
