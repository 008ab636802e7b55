import ArgumentParser
import Graft

/// What `graft distill` does, step by step.
struct DistillJob {
    private var options: Distill
    private let console: Console
    /// What the run goes on from; `nil` for a new one.
    private let resumed: KeptRun?
    private let checkpoints: RunCheckpoints
    private let reporter: ProgressReporter
    private let recorder: HistoryRecorder
    private let start = ContinuousClock.now

    init(options: Distill, console: Console, resumed: KeptRun? = nil) {
        (self.options, self.console, self.resumed) = (options, console, resumed)
        checkpoints = RunCheckpoints(options, output: options.modelPath, options.checkpoints, resumed: resumed)
        reporter = ProgressReporter(console: console)
        recorder = HistoryRecorder(beside: options.modelPath)
    }

    mutating func run() throws {
        try OutputFile.check(options.modelPath)
        try options.machine.checkPrecision()
        let found = try DistillExamples.find(options)
        let steps = options.training.stepCount(imageCount: DistillExamples.learnedCount(of: found, options))
        let networks = try DistillNetworks(options, steps: steps, on: console)
        let examples = try DistillExamples(found, options, sizes: networks.sizes, rule: networks.studentRule)
        try report(networks, examples)
        if let resumed { networks.student.layerFlags = resumed.marks }
        networks.student.metadata.run = checkpoints.run
        try networks.student.checkRoom(toSave: options.modelPath)
        // Measured on the teacher: the student is not yet what it will be.
        let settled = try SettledPrecision(trainingOptions().precision, resumed: resumed?.precision) {
            try networks.teacher.costOfBFloat16(
                on: examples.teacherSample, options: TrainingOptions(threads: options.machine.threads))
        }
        settled.tell(on: console)
        options.machine.precision = PrecisionOption(settled.precision)
        let interruption = Interruption(
            on: console, saying: "stopping after this step; Ctrl-C again ends the program at once, without a student")
        let teacher = try makeTeacher(networks, examples, interruption.cancellation)
        if resumed == nil { checkpoints.begin(on: console) }
        recorder.begin("distillation")
        reporter.begin(nil, epochs: options.training.epochCount)
        let history = try teach(
            networks.student, teacher, examples, options.training.optimizer(steps: steps), interruption.cancellation)
        try finish(networks.student, history)
    }

    private func report(_ networks: DistillNetworks, _ examples: DistillExamples) throws {
        for line in networks.lines { console.say(line) }
        let measured = examples.validation.map { ", \($0.count.grouped) to measure the loss on" } ?? ""
        let (views, recipe) = (try options.views.viewCount, try options.views.recipe)
        let shown = recipe.isIdentity ? "as they are" : "each in \(views.of("view")) (\(recipe))"
        console.say("\(examples.training.count.of("image")) to learn from, \(shown)\(measured)")
        console.list(examples.problems.map(\.description), title: "left out")
    }

    private func trainingOptions(_ cancellation: CancellationFlag? = nil) -> TrainingOptions {
        options.machine.trainingOptions(features: .off, trains: true, cancellation: cancellation)
    }

    private func makeTeacher(
        _ networks: DistillNetworks, _ examples: DistillExamples, _ cancellation: CancellationFlag
    ) throws -> Teacher {
        let begin = ContinuousClock.now
        var measured = 0
        let teacher = try networks.makeTeacher(standardizedOn: examples.sample, trainingOptions(cancellation)) {
            progress in
            measured = progress.total
            console.progress(ProgressLine("teacher's features", progress))
        }
        if measured > 0 {
            let rate = ProgressLine.rate(of: measured, seconds: begin.secondsAgo).map { " (\($0))" } ?? ""
            console.say("the teacher's features standardized on \(measured.of("image"))\(rate)")
        }
        return teacher
    }

    /// Teaches; where that fails after a complete epoch, the student of the last one is written all the same.
    private func teach(
        _ student: Model, _ teacher: Teacher, _ examples: DistillExamples, _ optimizer: any Optimizer,
        _ cancellation: CancellationFlag
    ) throws -> History {
        let (training, learning) = (options.training, trainingOptions(cancellation))
        do {
            return try Distillation(from: [teacher]).teach(
                student, with: examples.training, mixUp: options.views.mixing, batchSize: training.imagesInStep,
                epochs: training.epochCount, optimizer: optimizer, validation: examples.validation,
                seed: training.seed ?? 0,
                callbacks: [EventHandler(reporter.handle), recorder], options: learning,
                teacherPrecision: learning.precision, answersMemory: options.views.answersByteCount,
                checkpoint: checkpoints.checkpointing(phase: 0, of: 1, [], resumes: resumed != nil))
        } catch {
            reporter.listUnreadable()
            if reporter.epochCount > 0 {
                // What ended the run comes first; that its student cannot be written either is said before it.
                do { try save(student, epochs: reporter.epochCount) } catch { console.warn("\(error)") }
                checkpoints.tellStopped(on: console)
            }
            throw error
        }
    }

    private func save(_ student: Model, epochs: Int) throws {
        console.progress("writing \(options.modelPath)")
        try student.save(options.modelPath)
        console.say("wrote \(options.modelPath) after \(epochs.of("epoch")), \(start.secondsAgo.asDuration) in all")
    }

    private func finish(_ student: Model, _ history: History) throws {
        guard !history.epochs.isEmpty else {
            console.fail("stopped before the first epoch was complete, so no student was written")
            checkpoints.tellStopped(on: console)
            throw ExitCode(Interruption.exitCode)
        }
        tellHistory()
        do { try save(student, epochs: history.epochs.count) } catch {
            checkpoints.rescue(student, on: console)
            throw error
        }
        emit(history)
        if history.isInterrupted { checkpoints.tellStopped(on: console) } else { checkpoints.end(on: console) }
        if history.isInterrupted { throw ExitCode(Interruption.exitCode) }
    }

    private func tellHistory() {
        if let failure = recorder.failure {
            console.warn("the history could not be written: \(failure)")
        } else {
            console.say("history in \(recorder.csvPath), as a chart in \(recorder.chartPath)")
        }
    }

    private func emit(_ history: History) {
        var object = JSONObject(event: "done")
        object.add("model", .string(options.modelPath))
        object.add("epochs", .int(history.epochs.count))
        for key in ["loss", "val_loss"] { object.add(key, history[key].last.map { .number($0) } ?? .null) }
        object.add("seconds", .number(start.secondsAgo))
        object.add("images", .int(history.exampleCount))
        object.add("left_out", .strings(history.failures.map(\.path)))
        console.emit(object)
    }
}
