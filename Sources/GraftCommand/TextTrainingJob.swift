import ArgumentParser
import Graft

/// What `graft train` does with texts.
struct TextTrainingJob {
    let options: Train
    let console: Console
    let profiler: Profiler?
    private let path: String
    private let start = ContinuousClock.now

    init(options: Train, console: Console, profiler: Profiler?) {
        (self.options, self.console, self.profiler) = (options, console, profiler)
        path = options.images ?? "."
    }

    /// Whether what is trained on are texts, told by the data or by the base.
    static func takes(_ options: Train) -> Bool {
        guard options.checkpoints.resume == nil, let path = options.images else { return false }
        return TextBase.isNamed(options.network.base) || TextListing.isText(path, columns: options.texts.columns)
    }

    func run() throws {
        try OutputFile.check(options.modelPath)
        try options.machine.checkPrecision()
        try checkOptions()
        let texts = try self.texts()
        let recipe = try self.recipe()
        let interruption = Interruption(on: console, saying: "stopping; Ctrl-C again ends the program at once")
        let machine = options.machine.trainingOptions(
            features: options.featureCache, trains: true, cancellation: interruption.cancellation, profiler: profiler)
        let training = try TextClassifierTraining(on: texts, recipe, options: machine)
        tell(training)
        try training.settlePrecision().tell(noun: "text", on: console)
        let recorder = HistoryRecorder(beside: options.modelPath)
        let reporter = ProgressReporter(console: console, noun: "text")
        if let fineTuning = recipe.fineTuning { reporter.begin("fine-tuning", epochs: fineTuning.epochs) }
        let classifier = try training.run(
            callbacks: [EventHandler(reporter.handle)] + (recipe.fineTuning == nil ? [] : [recorder]),
            emit: reporter.handle)
        console.closeProgressLine()
        tell(training.head)
        try classifier.save(options.modelPath)
        console.say("wrote \(options.modelPath), \(start.secondsAgo.asDuration) in all")
        try finish(training, classifier)
        withExtendedLifetime(interruption) {}
    }

    /// Options that say something of images alone are refused rather than passed over.
    private func checkOptions() throws(GraftError) {
        let given =
            options.network.source.choice.givenForImagesAlone + (options.head == nil ? [] : ["--head"])
            + (options.augmentation.augment == nil ? [] : ["--augment"])
        guard given.isEmpty else {
            throw GraftError(.argument, "\(given.joined(separator: ", ")): for images; \(path) holds texts")
        }
    }

    private func texts() throws -> LabelledTexts {
        let listing = try TextListing(at: path, columns: options.texts.columns)
        try tellFindings(TextAudit(listing).findings)
        let share = options.training.validationSplit.flatMap { $0 > 0 ? $0 : nil }
        let texts = try LabelledTexts(
            listing, task: options.data.target, validationSplit: share, seed: options.training.seed ?? 0)
        let parts = DatasetPart.allCases.compactMap { part in
            texts[part].map { "\($0.count.of("text")) for \(part == .training ? "training" : part.rawValue)" }
        }
        let classes = texts.task == .regression ? "" : ", \(texts.classNames.count.grouped) classes"
        console.say("\(path): \(parts.joined(separator: ", "))\(classes)")
        console.list(texts.problems.map(\.description), title: "left out")
        return texts
    }

    private func recipe() throws(GraftError) -> TextRecipe {
        var recipe = try TextBase(
            name: options.network.base, weights: options.network.source.weights, options.textBase
        ).recipe()
        if let cut = options.network.source.cut { recipe.cut = cut }
        recipe.seed = options.training.seed ?? 0
        recipe.penalty = options.training.l2.map(Double.init)
        recipe.fineTuning = options.fineTuning.textFineTuning
        return recipe
    }

    /// Says in a line each what is wrong with the texts.
    private func tellFindings(_ findings: [TextFinding]) {
        var object = JSONObject(event: "findings")
        let shown = findings.filter { $0.severity == .problem }
        guard !shown.isEmpty else { return }
        for kind in TextFinding.Kind.allCases {
            let same = shown.filter { $0.kind == kind }
            guard let first = same.first else { continue }
            let names = first.names.prefix(2).joined(separator: ", ")
            console.warn(
                "\(kind.title)\(same.count > 1 ? ", \(same.count.grouped) times" : ""): "
                    + (names.isEmpty ? first.detail : (same.count > 1 ? "such as " : "") + names))
            object.add(kind.rawValue, .int(same.count))
        }
        console.emit(object)
    }

    private func tell(_ training: TextClassifierTraining) {
        let base = training.recipe.base
        console.say(
            "base \(base.title), \(base.configuration.layerCount) layers of \(base.configuration.width), cut at "
                + "\(training.recipe.cut), \(base.pooling.rawValue) of the tokens; up to \(training.rule.maximumLength) tokens a text"
        )
        if training.cutCount > 0 {
            console.warn(
                "\(training.cutCount.of("text")) \(training.cutCount == 1 ? "is" : "are") longer than "
                    + "\(training.rule.maximumLength) tokens and cut off; --maximum-length allows more")
        }
    }

    private func tell(_ head: TextHeadReport?) {
        guard let head else { return }
        if head.reusedCount > 0 { console.say("features of \(head.reusedCount.of("text")) found from an earlier run") }
        let heldOut = head.heldOut.map { value in
            options.data.target == .regression || options.data.target == .labels
                ? "; loss \(value.fixed(4)) on texts held out" : "; accuracy \(value.fixed(4)) on texts held out"
        }
        console.say(
            "features in \(head.featureSeconds.asDuration), head in \(head.headSeconds.asDuration), penalty "
                + "\(head.penalty.fixed(2))\(heldOut ?? "")")
    }

    private func finish(_ training: TextClassifierTraining, _ classifier: TextClassifier) throws {
        var object = JSONObject(event: "done")
        object.add("model", .string(options.modelPath))
        var evaluations: [(String, Evaluation)] = []
        for (part, prefix) in [(DatasetPart.validation, "val_"), (.test, "test_")] {
            guard let examples = training.texts[part] else { continue }
            let evaluation = try classifier.evaluate(examples)
            console.say(
                "\(part.rawValue)  \(ProgressReporter.figures(evaluation.figures))  "
                    + evaluation.exampleCount.of("text"))
            evaluations.append((prefix, evaluation))
        }
        if !evaluations.contains(where: { $0.0 == "val_" }) {
            object.add("val_accuracy", .null)
        }
        for (prefix, evaluation) in evaluations { object.add(figures: evaluation.figures, prefix: prefix) }
        object.add("held_out", training.head?.heldOut.map { .number($0) } ?? .null)
        object.add("penalty", training.head.map { .number($0.penalty) } ?? .null)
        object.add("seconds", .number(start.secondsAgo))
        object.add("trunk_seconds", .number(training.head?.featureSeconds ?? 0))
        object.add("texts", .int(training.texts.training.count))
        object.add("left_out", .strings(training.texts.problems.map(\.path)))
        console.emit(object)
    }
}
