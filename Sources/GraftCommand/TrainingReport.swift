import Graft

/// What `graft train` says, and what it writes at its end.
struct TrainingReport {
    /// Where the model is written.
    let model: String
    let console: Console
    private let start = ContinuousClock.now

    init(model: String, console: Console) { (self.model, self.console) = (model, console) }

    func tell(_ images: LabelledImages) {
        let report = PhotoReport(images)
        for line in report.lines { console.say(line) }
        for warning in report.warnings { console.warn(warning) }
        console.list(images.problems.map(\.description), title: "left out")
    }

    /// Says in a line each what names, sizes and equal files tell of the images.
    func tellFindings(_ findings: [ImageFinding], in path: String) {
        guard !findings.isEmpty else { return }
        var object = JSONObject(event: "findings")
        for kind in ImageFinding.Kind.allCases {
            let same = findings.filter { $0.kind == kind }
            guard let first = same.first else { continue }
            let paths = first.paths.prefix(2).joined(separator: ", ")
            console.warn(
                "\(kind.title)\(same.count > 1 ? ", \(same.count.grouped) times" : ""): "
                    + (paths.isEmpty ? first.detail : (same.count > 1 ? "such as " : "") + paths))
            object.add(kind.rawValue, .int(same.count))
        }
        console.say("graft audit \(path) shows all, near copies too")
        console.emit(object)
    }

    /// Says which base was chosen where none was named, and what another would bring.
    func tellUsual(_ base: Base) {
        guard base.id == Base.pocket.id else { return }
        console.say(
            "base pocket, which is part of Graft; a larger one such as inception-v3 knows more, needs a download and takes "
                + "ten times as long: graft bases")
    }

    /// Says what a phase unfreezes.
    func tell(_ phase: TrainingPhase, of model: Model) throws {
        guard let part = phase.unfrozen else { return }
        let count = try phase.trainableParameterCount(in: model).grouped
        console.say("\(part.title): \(count) parameters trainable, learning rate \(phase.learningRate)")
    }

    /// Says how a phase's images are augmented and mixed, and what became of the number of views that was asked for.
    func tell(_ views: PhaseViews, of phase: TrainingPhase, _ recipe: TrainingRecipe) {
        let mixes = [recipe.mixUp.map { "MixUp \($0.alpha)" }, recipe.cutMix.map { "CutMix \($0.alpha)" }]
            .compactMap(\.self)
        if !mixes.isEmpty {
            console.say("\(phase.name): \(mixes.joined(separator: " or ")): the network runs at every step")
        }
        guard let augmentation = views.augmentation else { return }
        let hint = recipe.views == nil ? "; --views says how many" : ""
        let count =
            views.keepsFeatures
            ? "each image in \(views.count.of("view")), one an epoch, whose features are kept\(hint)"
            : "a new view of each image in each epoch; the network runs at every step"
        console.say("\(phase.name): \(augmentation): \(count)")
        var object = JSONObject(event: "augmentation")
        object.add("phase", .string(phase.name))
        object.add("recipe", .string(augmentation.description))
        if let mixUp = recipe.mixUp { object.add("mixup", .number(mixUp.alpha)) }
        if let cutMix = recipe.cutMix { object.add("cutmix", .number(cutMix.alpha)) }
        object.add("views", .int(views.count))
        object.add("keeps_features", .bool(views.keepsFeatures))
        console.emit(object)
    }

    /// Says where the history is, and whether the validation curve turned.
    func tell(_ verdict: LearningCurveDiagnosis, _ recorder: HistoryRecorder) {
        console.say(lines: verdict.description)
        if let failure = recorder.failure {
            console.warn("the history could not be written: \(failure)")
        } else {
            console.say("history in \(recorder.csvPath), as a picture in \(recorder.chartPath)")
        }
    }

    /// Has the model remember how sure its answers are, by the images of validation. Without it the model is as good.
    func calibrate(_ training: ClassifierTraining) {
        do {
            guard let calibration = try training.calibrate() else { return }
            console.say(
                "sure from \((100 * calibration.sureFrom).fixed(0)) % on, after calibration by "
                    + "\((training.images.validation?.count ?? 0).of("image")) of validation")
        } catch {
            console.warn("the model does not remember how sure its answers are: \(error)")
        }
    }

    func save(_ trained: Model, epochs: Int) throws {
        console.progress("writing \(model)")
        try trained.save(model)
        console.say("wrote \(model) after \(epochs.of("epoch")), \(start.secondsAgo.asDuration) in all")
    }

    /// Says that no model is written.
    func tellNothing(featuresAreKept: Bool) {
        console.fail(
            "stopped before the first epoch was complete, so no model was written"
                + (featuresAreKept ? "; the features computed so far are kept for the next start" : ""))
    }

    /// How the model does on images that decided nothing.
    func evaluate(_ trained: Model, on test: ImageDataset, _ options: TrainingOptions) throws -> Evaluation {
        let evaluation = try trained.evaluate(test, options: options) { [console] in
            console.progress(ProgressLine("test", $0))
        }
        console.list(evaluation.failures.map(\.description), title: "left out, as they cannot be read")
        console.say("test  \(ProgressReporter.figures(evaluation.figures))  \(evaluation.exampleCount.of("image"))")
        return evaluation
    }

    func emit(_ outcome: TrainingOutcome, _ test: Evaluation?, _ verdict: LearningCurveDiagnosis) {
        var object = JSONObject(event: "done")
        object.add("model", .string(model))
        object.add("val_accuracy", outcome.last("val_accuracy").map { .number($0) } ?? .null)
        object.add("seconds", .number(start.secondsAgo))
        object.add("trunk_seconds", .number(outcome.trunkSeconds))
        object.add("images", .int(outcome.exampleCount))
        if let test { object.add(figures: test.figures, prefix: "test_") }
        object.add("left_out", .strings(outcome.unreadablePaths + (test?.failures ?? []).map(\.path)))
        object.add("course", .string(verdict.course.rawValue))
        object.add("best_epoch", verdict.bestEpoch.map { .int($0) } ?? .null)
        object.add("advice", .strings(verdict.advice.map(\.rawValue)))
        console.emit(object)
    }
}
