import ArgumentParser
import Foundation
import Graft

/// What `graft train` does, step by step.
struct TrainingJob {
    let options: Train
    let console: Console

    func run() throws {
        let start = ContinuousClock.now
        try OutputFile.check(options.output)
        let base = try Base.named(options.network.base)
        let arguments = options.network.source
        let size = arguments.inputSize ?? base.defaultSize
        let rule = ImageRule(height: size, width: size, resize: arguments.resize)
        let photos = try ImageFolder(
            at: options.images, rule: rule,
            validationSplit: options.training.validationSplit > 0 ? options.training.validationSplit : nil,
            seed: options.training.seed, threads: options.machine.threads)
        report(photos)
        let model = try makeModel(base, size: size, classNames: photos.classNames, rule: rule)
        try model.compile(
            optimizer: options.training.optimizer.optimizer(learningRate: options.training.learningRate),
            loss: .classification(outputs: model.output.shape.last),
            metrics: [.accuracy])
        let history = try fit(model, photos)
        try finish(model, history, seconds: (ContinuousClock.now - start).seconds)
    }

    private func report(_ photos: ImageFolder) {
        let counts = zip(photos.classNames, photos.training.classCounts).map { "\($1) \($0)" }
        console.say("\(photos.training.count) training images: \(counts.joined(separator: ", "))")
        switch photos.validationSource {
        case .none:
            console.say(
                "no validation images: give a validation folder or --validation-split to see how well it generalises")
        case .folder: console.say("\(photos.validation?.count ?? 0) validation images from their own folder")
        case .split(let share):
            console.say("\(photos.validation?.count ?? 0) validation images set aside (--validation-split \(share))")
        }
        console.list(photos.problems.map(\.description), title: "left out")
    }

    private func makeModel(_ base: Base, size: Int, classNames: [String], rule: ImageRule) throws -> Model {
        let source = NetworkSource(name: base.id, arguments: options.network.source, top: false)
        let network = try source.model(on: console, seed: options.training.seed)
        network.freeze()
        let cut = options.network.source.cut ?? base.defaultCut
        let features = try base.layer(atCut: cut, of: network).output
        let head = try HeadSpecification(options.head)
        let hidden = try head.apply(to: features)
        let outputLayer =
            classNames.count == 2
            ? Dense(1, activation: .sigmoid) : Dense(classNames.count, activation: .softmax)
        let model = try Model(inputs: network.input, outputs: outputLayer(hidden), seed: options.training.seed)
        model.metadata = ModelMetadata(classNames: classNames, image: rule)
        let trainable = model.trainableVariables.reduce(0) { $0 + $1.shape.elementCount }
        console.say(
            "\(base.title) cut at \(cut): \(model.countParameters().grouped) parameters, \(trainable.grouped) of them trainable"
        )
        return model
    }

    private func fit(_ model: Model, _ photos: ImageFolder) throws -> History {
        let cancellation = CancellationFlag()
        let console = console
        let interruption = Interruption {
            console.say("stopping after this step; Ctrl-C again ends the program without a model")
            cancellation.cancel()
        }
        defer { withExtendedLifetime(interruption) {} }
        let reporter = ProgressReporter(console: console)
        return try model.fit(
            photos.training, batchSize: options.training.batchSize, epochs: options.training.epochs,
            validation: photos.validation, seed: options.training.seed,
            callbacks: [EventHandler { reporter.handle($0) }],
            options: TrainingOptions(threads: options.machine.threads, cancellation: cancellation))
    }

    private func finish(_ model: Model, _ history: History, seconds: Double) throws {
        console.list(history.failures.map(\.description), title: "could not be read and were left out")
        guard !history.epochs.isEmpty else {
            console.say("stopped before the first epoch was complete; no model was written")
            throw ExitCode(Interruption.exitCode)
        }
        console.progress("writing \(options.output)")
        try model.save(options.output)
        console.say("wrote \(options.output) after \(history.epochs.count) epochs, \(seconds.asDuration) in all")
        var object = JSONObject(event: "done")
        object.add("model", .string(options.output))
        object.add("val_accuracy", history.last["val_accuracy"].map { .number($0) } ?? .null)
        object.add("seconds", .number(seconds))
        object.add("trunk_seconds", .number(history.trunkSeconds))
        object.add("images", .int(history.exampleCount))
        object.add("left_out", .strings(history.failures.map(\.path)))
        console.emit(object)
        if history.isInterrupted { throw ExitCode(Interruption.exitCode) }
    }
}
