import GraftData
import GraftGraph
import GraftImages
import GraftLearning
import GraftTraining

extension ModelReport {
    /// Looks at a classifier.
    ///
    /// - Parameters:
    ///   - classifier: one whose outputs are probabilities of classes.
    ///   - examples: images that the model did not learn from, labelled as its classes are numbered.
    ///   - known: those that it could have learned from; `nil` where there are none at hand.
    ///   - options: what goes into the report.
    /// - Throws: `GraftError` with code `format` for outputs that are no probabilities of classes that exclude each other, `data` where
    ///   none of the images can be read, `cancelled`.
    public init(
        of classifier: Classifier, on examples: ImageDataset, knowing known: ImageDataset? = nil,
        options: Options = Options()
    ) throws {
        try Self.check(classifier)
        let clock = Stopwatch()
        let explainer = try ModelExplainer(classifier.model, layer: options.layer, options: classifier.options)
        let material = try ReportMaterial(
            classifier.model, explainer, examples, known, classifier.classNames, options)
        guard !material.answers.isEmpty else {
            throw GraftError(
                .data,
                "none of the \(examples.count) images can be read\(material.failures.first.map { ": \($0)" } ?? "")")
        }
        name = classifier.name
        classNames = classifier.classNames
        sureness = Sureness(material.probabilities, labels: material.labels)
        let calibrated = sureness.temperature(material.probabilities)
        answers = material.paths.indices.map { row in
            Answer(
                path: material.paths[row], label: material.labels[row], predicted: calibrated.best(row),
                confidence: calibrated.confidence(row))
        }
        isHeldBack = options.isHeldBack
        knownCount = known?.count ?? 0
        accuracy = Proportion(answers.count { $0.isRight }, of: answers.count)
        confusion = ConfusionMatrix(answers.map { ($0.label, $0.predicted) }, classCount: classNames.count)
        failures = material.failures
        let labels = try material.labels(classNames, classifier.options, options)
        (suspects, suspectedCount) = (labels.filter(\.isSuspected), labels.count)
        sampleSizes = try material.sampleSizes(classNames.count, classifier.options, options)
        let properties = material.properties(options)
        shortcuts = Shortcut.find(properties, labels: material.allLabels, classNames: classNames)
        slices = Slice.find(
            Array(properties.prefix(answers.count)), isRight: answers.map(\.isRight), paths: material.paths,
            classNames: classNames)
        (places, placesShare) = material.places()
        findings = options.audit?.findings.filter { $0.severity != .note } ?? []
        drift = try material.drift(classifier, explainer, properties: properties, options)
        var pictures = ReportPictures()
        let shown = ReportSelection(answers, classNames: classNames, suspects, findings)
        options.progress?("page", 0, 1)
        try pictures.add(shown.plain + (drift?.strangest ?? []), rule: classifier.rule)
        try pictures.explain(shown.explained, explainer, rule: classifier.rule)
        self.pictures = pictures
        provenance =
            options.provenance + [
                (
                    "images",
                    "\(answers.count) the answer rests on, \(material.knownCount) of \(knownCount) others looked at"
                ),
                ("map", explainer.mapLayer ?? "none: the model has no layer with several positions"),
                ("time", "\((clock.seconds * 10).rounded() / 10) s"),
            ]
    }
}

extension ModelReport {
    /// The labels of all images, the least plausible first, without the rest of a report.
    ///
    /// - Parameters:
    ///   - classifier: one whose outputs are probabilities of classes.
    ///   - examples: images, labelled as its classes are numbered.
    ///   - known: more of them; `nil` for none.
    ///   - options: how many of `known`, and which images are the same (by the audit).
    /// - Returns: one for each image, suspected or not; none where there are too few to tell.
    /// - Throws: as ``init(of:on:knowing:options:)``.
    public static func labels(
        of classifier: Classifier, in examples: ImageDataset, knowing known: ImageDataset? = nil,
        options: Options = Options()
    ) throws -> [Suspect] {
        try check(classifier)
        let explainer = try ModelExplainer(classifier.model, layer: options.layer, options: classifier.options)
        let material = try ReportMaterial(
            classifier.model, explainer, examples, known, classifier.classNames, options)
        return try material.labels(classifier.classNames, classifier.options, options)
    }

    private static func check(_ classifier: Classifier) throws(GraftError) {
        guard classifier.outputs.areProbabilities, classifier.outputs.meaning != .labels else {
            throw GraftError(
                .format,
                "\(classifier.name) does not give each image one of several classes with their probabilities, which is what "
                    + "a report is about")
        }
    }
}

/// Which images a page shows.
struct ReportSelection {
    /// As in their files.
    let plain: [String]
    /// With where the model looked.
    let explained: [ModelReport.Answer]

    static let (errorCount, unsureCount, suspectCount, seenCount) = (24, 12, 24, 12)
    /// Cells of the confusion matrix with images, and how many images a cell.
    static let (cellCount, cellImageCount) = (8, 6)

    init(
        _ answers: [ModelReport.Answer], classNames: [String], _ suspects: [ModelReport.Suspect],
        _ findings: [ImageFinding]
    ) {
        let errors = answers.filter { !$0.isRight }.sorted { ($1.confidence, $0.path) < ($0.confidence, $1.path) }
        let unsure = answers.sorted { ($0.confidence, $0.path) < ($1.confidence, $1.path) }
        explained =
            Array(errors.prefix(Self.errorCount)) + Array(unsure.prefix(Self.unsureCount))
            + Self.seen(answers, classCount: classNames.count)
        let cells = Dictionary(grouping: errors) { [$0.label, $0.predicted] }
            .sorted { ($1.value.count, $0.key[0], $0.key[1]) < ($0.value.count, $1.key[0], $1.key[1]) }
        plain =
            suspects.prefix(Self.suspectCount).map(\.path)
            + cells.prefix(Self.cellCount).flatMap { $0.value.prefix(Self.cellImageCount).map(\.path) }
            + findings.filter { [.leak, .conflict, .nearDuplicate, .duplicate].contains($0.kind) }.prefix(6).flatMap {
                $0.paths.prefix(2)
            }
    }

    /// Images of each class, the first ones, so that one sees what the network sees.
    static func seen(_ answers: [ModelReport.Answer], classCount: Int) -> [ModelReport.Answer] {
        let each = max(seenCount / max(classCount, 1), 1)
        let classes = Dictionary(grouping: answers, by: \.label).sorted { $0.key < $1.key }
        return Array(classes.flatMap { $0.value.prefix(each) }.prefix(seenCount))
    }
}

extension ConfusionMatrix {
    /// A matrix of pairs of classes: what there was, and what was predicted.
    init(_ pairs: [(label: Int, predicted: Int)], classCount: Int) {
        self.init()
        for pair in pairs {
            var row = [Float](repeating: 0, count: max(classCount, 2))
            row[pair.predicted] = 1
            add(Tensor(row, shape: [1, row.count]), Tensor([Float(pair.label)], shape: [1]))
        }
    }
}
