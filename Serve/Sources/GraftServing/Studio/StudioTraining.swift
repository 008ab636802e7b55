import Foundation
import Graft
import Synchronization

/// Trains a project in the background, one run at a time, with the same library as `graft train`.
final class StudioTraining: Sendable {
    /// What a page may choose.
    struct Choice: Sendable {
        var base = Base.pocket.id
        /// The most minutes that epochs may take; `nil` for as many as they do.
        var minutes: Double?
        /// Passes over the images; `nil` for as many as suit.
        var epochs: Int?
        /// Views of each image, such as `flip,rotate:20`; `nil` for none.
        var augmentation: String?
    }

    enum Phase: String, Sendable { case idle, preparing, features, epochs, finishing, done, failed, stopped }

    /// Where a run is; a page that is opened in the middle of it gets all of this.
    struct State: Sendable {
        var phase = Phase.idle
        /// Counts runs, so that a page knows a new one.
        var run = 0
        var message = ""
        var done = 0
        var total = 0
        var epochCount = 0
        var curve: [[String: Double]] = []
        var secondsLeft: Double?
        var accuracy: Double?
        var seconds = 0.0
        var notes: [String] = []
        var command = ""
    }

    private struct Job {
        var cancellation: CancellationFlag?
    }

    let project: Project
    private let hub: EventHub
    private let threads: Int?
    private let state = Mutex(State())
    private let job = Mutex(Job())
    let result: StudioModel

    init(_ project: Project, _ hub: EventHub, _ result: StudioModel, threads: Int?) {
        (self.project, self.hub, self.result, self.threads) = (project, hub, result, threads)
    }

    var current: State { state.withLock(\.self) }

    var isRunning: Bool { job.withLock { $0.cancellation != nil } }

    /// Begins a run.
    ///
    /// - Throws: 409 while one runs, 400 for a choice that cannot be.
    func start(_ choice: Choice) throws {
        let recipe = try Self.recipe(choice)
        let cancellation = CancellationFlag()
        let begins = job.withLock { job in
            guard job.cancellation == nil else { return false }
            job.cancellation = cancellation
            return true
        }
        guard begins else { throw Refusal(.conflict, "a training is running; stop it first") }
        update { state in
            let run = state.run + 1
            state = State()
            (state.run, state.phase, state.message) = (run, .preparing, "Looking at the images")
        }
        let thread = Thread { [self] in
            train(recipe, choice, cancellation)
            job.withLock { $0.cancellation = nil }
            tell()
        }
        thread.name = "graft-train"
        thread.stackSize = 8 << 20
        thread.start()
    }

    func stop() { job.withLock { $0.cancellation?.cancel() } }

    private static func recipe(_ choice: Choice) throws -> TrainingRecipe {
        var recipe = TrainingRecipe(base: try Base.named(choice.base))
        recipe.epochs = choice.epochs
        if let text = choice.augmentation, !text.isEmpty { recipe.augmentation = try Augmentation(text) }
        return recipe
    }

    // MARK: The run

    private func train(_ recipe: TrainingRecipe, _ choice: Choice, _ cancellation: CancellationFlag) {
        let start = ContinuousClock.now
        do {
            let images = try LabelledImages(
                at: project.folder, rule: recipe.rule, validationSplit: recipe.validationSplit, seed: recipe.seed,
                threads: threads)
            note(images)
            update { $0.message = "Reading the base network" }
            let training = try ClassifierTraining(
                on: images, recipe,
                options: TrainingOptions(
                    features: .standard, threads: threads, precision: .automatic, cancellation: cancellation))
            try training.settlePrecision()
            try training.adaptStandardization()
            let recorder = HistoryRecorder(beside: project.modelPath)
            let limit = choice.minutes.map { TimeLimit(seconds: 60 * $0) }
            for phase in training.phases where !training.outcome.isInterrupted {
                recorder.begin(phase.name, event: phase.event)
                update { $0.epochCount = phase.epochs }
                var callbacks: [any Callback] = [EventHandler { [self] event in follow(event) }, recorder]
                if let limit { callbacks.append(limit) }
                try training.run(phase, callbacks: callbacks)
            }
            guard training.outcome.epochCount > 0 else {
                return update { ($0.phase, $0.message) = (.stopped, "Stopped before anything was learned") }
            }
            update { ($0.phase, $0.message) = (.finishing, "Measuring how sure the answers are") }
            try training.calibrate()
            try training.model.save(project.modelPath)
            let classifier = try training.classifier()
            result.set(classifier, mistakes: try StudioModel.mistakes(of: classifier, on: images))
            let outcome = training.outcome
            update { state in
                state.phase = outcome.isInterrupted ? .stopped : .done
                state.accuracy = outcome.last("val_accuracy")
                state.seconds = (ContinuousClock.now - start).inSeconds
                state.command = command(choice, epochs: outcome.epochCount, of: training.phases)
                state.message = "Wrote \(project.modelPath)"
            }
        } catch let error as GraftError where error.code == .cancelled {
            update { ($0.phase, $0.message) = (.stopped, "Stopped before anything was learned") }
        } catch {
            update { ($0.phase, $0.message) = (.failed, (error as? GraftError)?.message ?? "\(error)") }
        }
    }

    /// What somebody should know of the images.
    private func note(_ images: LabelledImages) {
        let few = zip(images.classNames, images.training.classCounts).filter { $0.1 < 6 }.map(\.0)
        var notes: [String] = []
        if let first = few.first {
            notes.append(
                "Few images of \(first)\(few.count > 1 ? " and others" : ""): more make it better and its measure surer."
            )
        }
        if (images.validation?.count ?? 0) < 20 {
            notes.append("With fewer than 20 images held back it cannot say whether it is sure.")
        }
        notes += images.problems.filter { !$0.path.contains(Project.removedFolder) }.prefix(5).map { "Left out: \($0)" }
        update { $0.notes = notes }
    }

    private func follow(_ event: TrainingEvent) {
        switch event {
        case .features(let progress):
            update { state in
                (state.phase, state.message) = (.features, "The base network looks at each image once")
                (state.done, state.total, state.secondsLeft) = (progress.done, progress.total, progress.remaining)
            }
        case .problem(let failure): update { $0.notes.append("Left out: \(failure)") }
        case .epochBegan(let epoch): update { ($0.phase, $0.message) = (.epochs, "Epoch \(epoch)") }
        case .epoch(let report):
            update { state in
                state.curve.append(report.figures)
                (state.done, state.total) = (state.curve.count, state.epochCount)
                state.secondsLeft = report.seconds * Double(max(state.epochCount - state.curve.count, 0))
            }
        default: break
        }
    }

    /// The command that does the same.
    private func command(_ choice: Choice, epochs: Int, of phases: [TrainingPhase]) -> String {
        var words = ["graft", "train", Self.quoted(project.folder)]
        if choice.base != Base.pocket.id { words += ["--base", choice.base] }
        if choice.epochs != nil || epochs != phases.reduce(0, { $0 + $1.epochs }) {
            words += ["--epochs", "\(epochs)"]
        }
        if let augmentation = choice.augmentation, !augmentation.isEmpty {
            words += ["--augment", Self.quoted(augmentation)]
        }
        return words.joined(separator: " ")
    }

    /// For a shell.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || "/._-,:".utf8.contains(byte)
        }
        return isPlain && !text.isEmpty ? text : "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }

    // MARK: Telling

    private func update(_ change: (inout State) -> Void) {
        state.withLock { change(&$0) }
        tell()
    }

    private func tell() { hub.send(line) }

    /// The state as a page gets it.
    var line: String {
        let (state, isRunning) = (current, isRunning)
        var object = JSONObject(event: "training")
        object.add("run", .int(state.run))
        object.add("running", .bool(isRunning))
        object.add("phase", .string(state.phase.rawValue))
        object.add("message", .string(state.message))
        object.add("done", .int(state.done))
        object.add("total", .int(state.total))
        object.add("epochs", .int(state.epochCount))
        object.add(
            "curve",
            .objects(
                state.curve.map { figures in
                    var entry = JSONObject()
                    for (name, value) in figures.sorted(by: { $0.key < $1.key }) { entry.add(name, .number(value)) }
                    return entry
                }))
        object.add("seconds_left", state.secondsLeft.map { .number($0) } ?? .null)
        object.add("val_accuracy", state.accuracy.map { .number($0) } ?? .null)
        object.add("seconds", .number(state.seconds))
        object.add("notes", .strings(state.notes))
        object.add("command", .string(state.command))
        return object.line
    }
}

/// Ends a run after the epoch in which its time is up.
final class TimeLimit: Callback {
    private let seconds: Double
    private let start = ContinuousClock.now

    init(seconds: Double) { self.seconds = seconds }

    func handle(_ event: TrainingEvent, in run: TrainingRun) throws {
        if case .epoch = event, (ContinuousClock.now - start).inSeconds >= seconds { run.stop() }
    }
}
