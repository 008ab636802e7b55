import ArgumentParser
import Graft

/// What `graft train` does, step by step.
final class TrainingJob {
    private(set) var options: Train
    let console: Console
    /// Follows where the time goes, where that was asked for.
    let profiler: Profiler?
    /// What the run goes on from; `nil` for a new one.
    private let resumed: ResumedRun?
    private let checkpoints: RunCheckpoints
    private let reporter: ProgressReporter
    private let recorder: HistoryRecorder
    private let start = ContinuousClock.now

    init(options: Train, console: Console, resumed: ResumedRun? = nil, profiler: Profiler? = nil) {
        (self.options, self.console, self.resumed) = (options, console, resumed)
        self.profiler = profiler
        checkpoints = RunCheckpoints(
            "train", output: options.modelPath, options.checkpoints, resumed: resumed?.kept)
        reporter = ProgressReporter(console: console)
        recorder = HistoryRecorder(beside: options.modelPath)
    }

    func run() throws {
        try OutputFile.check(options.modelPath)
        try options.machine.checkPrecision()
        let base = try options.network.named()
        var builder = try ClassifierBuilder(
            network: options.network, head: TrainingRecipe.head(options.head, for: base), seed: options.training.seed)
        // The checkpoint has all numbers.
        if resumed != nil { builder.choice.weights = WeightsOption.none }
        let share = options.training.validationSplit
        let photos = try ImageFolder(
            at: options.images ?? ".", rule: builder.rule, validationSplit: share > 0 ? share : nil,
            seed: options.training.seed, threads: options.machine.threads)
        report(photos)
        let recipe = TrainingRecipe(options, base: base, examples: photos.training.count)
        tell(base)
        try options.callbacks.check(hasValidation: photos.validation.map { $0.count > 0 } == true)
        builder.penalty = recipe.penalty
        let model = try builder.model(classNames: photos.classNames, on: console)
        if let resumed { model.layerMarks = resumed.marks }
        let phases = TrainingPhase.all(recipe, options.fineTuning)
        try check(phases, model)
        try model.checkRoom(toSave: options.modelPath)
        options.machine = try options.machine.settlingPrecision(
            resumed: resumed?.precision, optimizerState: options.training.optimizerState, on: photos.training, console
        ) { try builder.features(of: model) }
        if resumed == nil {
            try model.adaptStandardization(
                to: photos.training, options: options.machine.trainingOptions(trains: true))
        }
        let interruption = Interruption(
            on: console, saying: "stopping after this step; Ctrl-C again ends the program at once, without a model")
        var outcome = TrainingOutcome()
        passOver(&outcome)
        let best = try options.callbacks.saveBest.map {
            try ModelCheckpoint($0, monitor: options.callbacks.monitor, saveBestOnly: true)
        }
        for (position, phase) in phases.enumerated().dropFirst(resumed?.phase ?? 0) where !outcome.isInterrupted {
            try begin(phase, of: phases, model, recipe)
            let callbacks = PhaseCallbacks(
                options.callbacks, phase: phases.count > 1 ? phase.name : nil, best: best, offset: reporter.epochCount)
            let checkpoint = checkpoints.checkpointing(
                phase: position, of: phases.count, outcome.histories, resumes: position == resumed?.phase)
            let history = try fit(
                model, photos, phase, callbacks, checkpoint, batchSize: recipe.batchSize, interruption.cancellation)
            callbacks.tell(history, on: console)
            outcome.add(history, restoredEpoch: callbacks.restoredEpoch)
        }
        try finish(model, outcome, test: photos.test, interruption.cancellation)
    }

    /// Takes the phases that an earlier process completed for done; a new run sets another one's checkpoint aside.
    private func passOver(_ outcome: inout TrainingOutcome) {
        guard let resumed else { return checkpoints.begin(on: console) }
        for history in resumed.histories {
            outcome.add(history, restoredEpoch: nil)
            reporter.pass(epochs: history.epochs.count)
        }
    }

    /// Finds out before the head trains, not after, that there is nothing to unfreeze.
    private func check(_ phases: [TrainingPhase], _ model: Model) throws {
        for part in phases.compactMap(\.unfrozen) {
            let (before, flags) = (model.trainableParameterCount, model.layers.map(\.trainable))
            try part.unfreeze(model)
            let isLarger = model.trainableParameterCount > before
            for (layer, flag) in zip(model.layers, flags) { layer.trainable = flag }
            guard isLarger else {
                throw GraftError(
                    .argument,
                    "--fine-tune-from: no layer of the base \(part.extent) has weights; take an earlier one")
            }
        }
    }

    /// Says which base was chosen where none was named, and what another would bring.
    private func tell(_ base: Base) {
        guard options.network.base == nil, base.id == Base.pocket.id else { return }
        console.say(
            "base pocket, which is part of Graft; a larger one such as inception-v3 knows more, needs a download and takes "
                + "ten times as long: graft bases")
    }

    private func report(_ photos: ImageFolder) {
        let report = PhotoReport(photos)
        for line in report.lines { console.say(line) }
        for warning in report.warnings { console.warn(warning) }
        console.list(photos.problems.map(\.description), title: "left out")
    }

    /// Unfreezes what the phase trains, and compiles the model for it.
    private func begin(
        _ phase: TrainingPhase, of phases: [TrainingPhase], _ model: Model, _ recipe: TrainingRecipe
    ) throws {
        if let part = phase.unfrozen {
            try part.unfreeze(model)
            if options.fineTuning.updateStatistics { model.setStatistics(.updating) }
            console.say(
                "\(part.title): \(model.trainableParameterCount.grouped) parameters trainable, learning rate "
                    + "\(phase.learningRate)")
        }
        try model.compile(
            optimizer: recipe.optimizer.optimizer(
                learningRate: phase.learningRate, stateType: options.training.optimizerState),
            loss: .classification(outputs: model.output.shape.last),
            metrics: [.accuracy])
        recorder.begin(phase.name, event: phase.event)
        reporter.begin(phases.count > 1 ? phase.name : nil, epochs: phases.reduce(0) { $0 + $1.epochs })
    }

    /// Trains; where that fails after a complete epoch, the model of the last one is written all the same.
    private func fit(
        _ model: Model, _ photos: ImageFolder, _ phase: TrainingPhase, _ callbacks: PhaseCallbacks,
        _ checkpoint: Checkpointing, batchSize: Int, _ cancellation: CancellationFlag
    ) throws -> History {
        let validation = photos.validation.flatMap { $0.count > 0 ? $0 : nil }
        let cache = (options.cache ?? .standard).cache
        do {
            return try model.fit(
                photos.training, batchSize: batchSize, epochs: phase.epochs,
                validation: validation, seed: options.training.seed,
                callbacks: [EventHandler(reporter.handle), recorder] + callbacks.all,
                options: options.machine.trainingOptions(
                    features: cache, trains: true, cancellation: cancellation, profiler: profiler),
                checkpoint: checkpoint)
        } catch {
            reporter.listUnreadable()
            if reporter.epochCount > 0 { try save(model, epochs: reporter.epochCount) }
            throw error
        }
    }

    private func save(_ model: Model, epochs: Int) throws {
        console.progress("writing \(options.modelPath)")
        try model.save(options.modelPath)
        console.say("wrote \(options.modelPath) after \(epochs.of("epoch")), \(start.secondsAgo.asDuration) in all")
    }

    private func finish(
        _ model: Model, _ outcome: TrainingOutcome, test: ImageDataset?, _ cancellation: CancellationFlag
    ) throws {
        guard outcome.epochCount > 0 else {
            let isKept = reporter.hasComputedFeatures && (options.cache ?? .standard).isKept
            console.fail(
                "stopped before the first epoch was complete, so no model was written"
                    + (isKept ? "; the features computed so far are kept for the next start" : ""))
            checkpoints.tellStopped(on: console)
            throw ExitCode(Interruption.exitCode)
        }
        let verdict = tellCourse()
        try save(model, epochs: outcome.epochCount)
        let isInterrupted = outcome.isInterrupted
        let evaluation = isInterrupted ? nil : try test.map { try evaluate(model, on: $0, cancellation) }
        emit(outcome, evaluation, verdict)
        if isInterrupted { checkpoints.tellStopped(on: console) } else { checkpoints.end(on: console) }
        if isInterrupted { throw ExitCode(Interruption.exitCode) }
    }

    /// How the model does on pictures that decided nothing.
    private func evaluate(_ model: Model, on test: ImageDataset, _ cancellation: CancellationFlag) throws -> Evaluation
    {
        let evaluation = try model.evaluate(
            test,
            options: options.machine.trainingOptions(trains: true, cancellation: cancellation, profiler: profiler)
        ) { [console] in console.progress(ProgressLine("test", $0)) }
        console.list(evaluation.failures.map(\.description), title: "left out, as they cannot be read")
        console.say("test  \(ProgressReporter.figures(evaluation.figures))  \(evaluation.exampleCount.of("image"))")
        return evaluation
    }

    /// Says where the history is, and whether the validation curve turned.
    private func tellCourse() -> CurveVerdict {
        let verdict = CurveVerdict(of: recorder.curve)
        console.say(verdict.description)
        if let failure = recorder.failure {
            console.warn("the history could not be written: \(failure)")
        } else {
            console.say("history in \(recorder.csvPath), as a picture in \(recorder.chartPath)")
        }
        return verdict
    }

    private func emit(_ outcome: TrainingOutcome, _ test: Evaluation?, _ verdict: CurveVerdict) {
        var object = JSONObject(event: "done")
        object.add("model", .string(options.modelPath))
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
