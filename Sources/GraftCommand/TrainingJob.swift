import ArgumentParser
import Graft

/// What `graft train` does, step by step.
struct TrainingJob {
    let options: Train
    let console: Console
    private let reporter: ProgressReporter
    private let start = ContinuousClock.now

    init(options: Train, console: Console) {
        (self.options, self.console) = (options, console)
        reporter = ProgressReporter(console: console)
    }

    func run() throws {
        try OutputFile.check(options.output)
        let base = try Base.named(options.network.base)
        let choice = options.network.source.choice
        let size = choice.inputSize ?? base.defaultSize
        let rule = ImageRule(height: size, width: size, resize: choice.resize ?? .keras)
        let share = options.training.validationSplit
        let photos = try ImageFolder(
            at: options.images, rule: rule, validationSplit: share > 0 ? share : nil,
            seed: options.training.seed, threads: options.machine.threads)
        report(photos)
        let model = try makeModel(base, classNames: photos.classNames, rule: rule)
        try model.checkRoom(toSave: options.output)
        try model.compile(
            optimizer: options.training.optimizer.optimizer(learningRate: options.training.learningRate),
            loss: .classification(outputs: model.output.shape.last),
            metrics: [.accuracy])
        let interruption = Interruption(
            on: console, saying: "stopping after this step; Ctrl-C again ends the program at once, without a model")
        let history = try fit(model, photos, interruption.cancellation)
        try finish(model, history, test: photos.test, interruption.cancellation)
    }

    private func report(_ photos: ImageFolder) {
        let report = PhotoReport(photos)
        for line in report.lines { console.say(line) }
        for warning in report.warnings { console.warn(warning) }
        console.list(photos.problems.map(\.description), title: "left out")
    }

    private func makeModel(_ base: Base, classNames: [String], rule: ImageRule) throws -> Model {
        let choice = options.network.source.choice
        let network = try NetworkSource(name: base.id, choice: choice)
            .model(on: console, seed: options.training.seed)
        network.freeze()
        let cut = choice.cut ?? base.defaultCut
        let features = try base.layer(atCut: cut, of: network).output
        let hidden = try HeadSpecification(options.head).apply(to: features)
        let outputLayer =
            classNames.count == 2
            ? Dense(1, activation: .sigmoid) : Dense(classNames.count, activation: .softmax)
        let model = try Model(inputs: network.input, outputs: outputLayer(hidden), seed: options.training.seed)
        model.metadata = ModelMetadata(classNames: classNames, image: rule)
        let trainable = model.trainableVariables.reduce(0) { $0 + $1.shape.elementCount }
        let preprocessing = choice.preprocessing?.preprocessing(of: base) ?? base.preprocessing
        console.say("\(base.title) cut at \(cut), on pixels as \(preprocessing.formula)")
        console.say("\(model.countParameters().grouped) parameters, \(trainable.grouped) of them trainable")
        return model
    }

    /// Trains; where that fails after a complete epoch, the model of the last one is written all the same.
    private func fit(_ model: Model, _ photos: ImageFolder, _ cancellation: CancellationFlag) throws -> History {
        let validation = photos.validation.flatMap { $0.count > 0 ? $0 : nil }
        let cache = (options.cache ?? .standard).cache
        do {
            return try model.fit(
                photos.training, batchSize: options.training.batchSize, epochs: options.training.epochs,
                validation: validation, seed: options.training.seed,
                callbacks: [EventHandler(reporter.handle)],
                options: options.machine.trainingOptions(features: cache, cancellation: cancellation))
        } catch {
            reporter.listUnreadable()
            if reporter.epochCount > 0 { try save(model, epochs: reporter.epochCount) }
            throw error
        }
    }

    private func save(_ model: Model, epochs: Int) throws {
        console.progress("writing \(options.output)")
        try model.save(options.output)
        console.say("wrote \(options.output) after \(epochs.of("epoch")), \(start.secondsAgo.asDuration) in all")
    }

    private func finish(
        _ model: Model, _ history: History, test: ImageDataset?, _ cancellation: CancellationFlag
    ) throws {
        guard !history.epochs.isEmpty else {
            let isKept = reporter.hasComputedFeatures && (options.cache ?? .standard).isKept
            console.fail(
                "stopped before the first epoch was complete, so no model was written"
                    + (isKept ? "; the features computed so far are kept for the next start" : ""))
            throw ExitCode(Interruption.exitCode)
        }
        try save(model, epochs: history.epochs.count)
        let isInterrupted = history.isInterrupted
        let evaluation = isInterrupted ? nil : try test.map { try evaluate(model, on: $0, cancellation) }
        emit(history, evaluation)
        if isInterrupted { throw ExitCode(Interruption.exitCode) }
    }

    /// How the model does on pictures that decided nothing.
    private func evaluate(_ model: Model, on test: ImageDataset, _ cancellation: CancellationFlag) throws -> Evaluation
    {
        let evaluation = try model.evaluate(
            test, options: options.machine.trainingOptions(cancellation: cancellation)
        ) { console.progress(ProgressLine("test", $0)) }
        console.list(evaluation.failures.map(\.description), title: "left out, as they cannot be read")
        console.say("test  \(ProgressReporter.figures(evaluation.figures))  \(evaluation.exampleCount.of("image"))")
        return evaluation
    }

    private func emit(_ history: History, _ test: Evaluation?) {
        var object = JSONObject(event: "done")
        object.add("model", .string(options.output))
        object.add("val_accuracy", history.last["val_accuracy"].map { .number($0) } ?? .null)
        object.add("seconds", .number(start.secondsAgo))
        object.add("trunk_seconds", .number(history.trunkSeconds))
        object.add("images", .int(history.exampleCount))
        if let test { object.add(figures: test.figures, prefix: "test_") }
        let failures = history.failures + (test?.failures ?? [])
        object.add("left_out", .strings(failures.map(\.path)))
        console.emit(object)
    }
}
