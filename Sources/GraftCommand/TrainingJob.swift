import ArgumentParser
import Graft

/// What `graft train` does, step by step.
struct TrainingJob {
    let options: Train
    let console: Console
    /// What the run goes on from; `nil` for a new one.
    let resumed: ResumedRun?
    /// Follows where the time goes, where that was asked for.
    let profiler: Profiler?
    private let checkpoints: RunCheckpoints
    private let reporter: ProgressReporter
    private let recorder: HistoryRecorder
    private let report: TrainingReport

    init(options: Train, console: Console, resumed: ResumedRun? = nil, profiler: Profiler? = nil) {
        (self.options, self.console, self.resumed, self.profiler) = (options, console, resumed, profiler)
        checkpoints = RunCheckpoints(
            options, output: options.modelPath, options.checkpoints, resumed: resumed?.kept)
        reporter = ProgressReporter(console: console)
        recorder = HistoryRecorder(beside: options.modelPath)
        report = TrainingReport(model: options.modelPath, console: console)
    }

    func run() throws {
        try OutputFile.check(options.modelPath)
        try options.machine.checkPrecision()
        let training = try TrainingSetup(options: options, resumed: resumed, report: report).training()
        let interruption = Interruption(
            on: console, saying: "stopping after this step; Ctrl-C again ends the program at once, without a model")
        (training.options.cancellation, training.options.profiler) = (interruption.cancellation, profiler)
        training.model.metadata.run = checkpoints.run
        passOver(training)
        try train(training)
        try finish(training)
        withExtendedLifetime(interruption) {}
    }

    /// Takes the phases that an earlier process completed for done; a new run sets another one's checkpoint aside.
    private func passOver(_ training: ClassifierTraining) {
        guard let resumed else { return checkpoints.begin(on: console) }
        for (phase, history) in zip(training.phases, resumed.histories) {
            training.pass(phase, history)
            reporter.pass(epochs: history.epochs.count)
        }
    }

    private func train(_ training: ClassifierTraining) throws {
        let phases = training.phases
        let base = try KeptBase.note(of: training.recipe.base)
        let best = try options.callbacks.saveBest.map {
            try ModelCheckpoint($0, monitor: options.callbacks.monitored, saveBestOnly: true)
        }
        for (position, phase) in phases.enumerated().dropFirst(resumed?.phase ?? 0)
        where !training.outcome.isInterrupted {
            let name = phases.count > 1 ? phase.name : nil
            try report.tell(phase, of: training.model)
            try report.tell(training.views(of: phase), of: phase, training.recipe)
            recorder.begin(phase.name, event: phase.event)
            reporter.begin(name, epochs: phases.reduce(0) { $0 + $1.epochs })
            let callbacks = PhaseCallbacks(
                options.callbacks, phase: name, best: best, offset: reporter.epochCount)
            let checkpoint = checkpoints.checkpointing(
                phase: position, of: phases.count, training.outcome.histories, resumes: position == resumed?.phase,
                base: base)
            callbacks.tell(try run(phase, of: training, callbacks.all, checkpoint), on: console)
        }
    }

    /// Trains a phase; where that fails after a complete epoch, the model of the last one is written all the same.
    private func run(
        _ phase: TrainingPhase, of training: ClassifierTraining, _ callbacks: [any Callback],
        _ checkpoint: Checkpointing
    ) throws -> History {
        do {
            return try training.run(
                phase, callbacks: [EventHandler(reporter.handle), recorder] + callbacks, checkpoint: checkpoint)
        } catch {
            reporter.listUnreadable()
            if reporter.epochCount > 0 {
                // What ended the run comes first; that its model cannot be written either is said before it.
                do { try report.save(training.model, epochs: reporter.epochCount) } catch { console.warn("\(error)") }
                checkpoints.tellStopped(on: console)
            }
            throw error
        }
    }

    private func finish(_ training: ClassifierTraining) throws {
        let outcome = training.outcome
        guard outcome.epochCount > 0 else {
            let isKept = reporter.hasComputedFeatures && ![.off, .temporary].contains(options.featureCache)
            report.tellNothing(featuresAreKept: isKept)
            checkpoints.tellStopped(on: console)
            throw ExitCode(Interruption.exitCode)
        }
        let verdict = outcome.verdict
        report.tell(verdict, recorder)
        report.calibrate(training)
        do { try report.save(training.model, epochs: outcome.epochCount) } catch {
            checkpoints.rescue(training.model, on: console)
            throw error
        }
        let test = outcome.isInterrupted ? nil : training.images.test
        let evaluation = try test.map { try report.evaluate(training.model, on: $0, training.options) }
        report.emit(outcome, evaluation, verdict)
        if outcome.isInterrupted {
            checkpoints.tellStopped(on: console)
            throw ExitCode(Interruption.exitCode)
        }
        checkpoints.end(on: console)
    }
}
