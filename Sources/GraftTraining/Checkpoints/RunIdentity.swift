import Foundation
import GraftData
import GraftDigest
import GraftGraph
import GraftModel
import GraftRuntime

/// What has to be the same in a run that continues: the model, what `compile` chose, what `fit` was asked for, the data.
struct RunIdentity: Sendable {
    private var settings: [String: Configuration]
    private let model: Configuration
    /// The variables in the model's order: path and shape.
    private let variables: [String]
    private let data: DataIdentity
    private let threads: Int

    /// The settings in the words of messages, in the order in which they are compared.
    private static let words: [(key: String, words: String)] = [
        ("began", "the number of epochs and steps since compile when fit began"), ("batch_size", "the batch size"),
        ("shuffle", "whether examples are shuffled"), ("seed", "the seed"),
        ("optimizer_state", "the kind of numbers of the optimizer's state"), ("optimizer", "the optimizer"),
        ("learning_rates", "the learning rate, at steps 0, 1, 10, 100, …"), ("loss", "the loss"),
        ("metrics", "the list of metrics"), ("weights", "the weights of classes and examples"),
        ("precision", "the kind of numbers"), ("keeps_features", "whether features are kept"),
        ("feature_augmentation", "what is done to features"),
    ]

    /// That of a run that has not begun.
    init(
        _ arguments: FitRun.Arguments, _ compilation: Compilation, _ trained: TrainedModel,
        _ backend: BackendCapabilities, _ data: DataIdentity
    ) {
        let rate = compilation.optimizer.learningRate
        settings = [
            "began": [.int(compilation.epochCount), .int(compilation.stepCount)],
            "batch_size": .int(arguments.batchSize), "shuffle": .bool(arguments.shuffle),
            "seed": .string("\(arguments.seed)"), "optimizer": .string(String(describing: compilation.optimizer)),
            "learning_rates": .array([0, 1, 10, 100, 1000, 10_000].map { .double(Double(rate.rate(at: $0))) }),
            "optimizer_state": .string(compilation.optimizer.settings.stateType.rawValue),
            "loss": .string(compilation.objective.name), "metrics": .array(compilation.metrics.map { .string($0.key) }),
            "weights": arguments.weights.map { .string($0.identity) } ?? .null,
            "precision": .string(backend.precision), "keeps_features": .bool(trained.keepsTrunk),
        ]
        // Not among the settings of runs without it, which are as they were before there was any.
        if let augmentation = arguments.options.featureAugmentation {
            settings["feature_augmentation"] = .string(augmentation.description)
        }
        let marks = trained.model.layerFlags
        model = [
            "network": trained.model.serialized,
            "frozen_statistics": .array(marks.frozenStatistics.map { .string($0) }),
            "fixed": .array(marks.fixed.map { .string($0) }),
        ]
        variables = trained.model.variables.map { "\($0.path) \($0.shape)" }
        self.data = data
        threads = backend.threads
    }

    /// The numbers of training and validation examples, readable or not.
    var exampleCounts: (training: Int, validation: Int) { data.exampleCounts }

    /// As a checkpoint keeps it. May read files: for a thread that has time.
    var configuration: [String: Configuration] {
        [
            "settings": .object(settings), "model": model, "data": data.configuration, "threads": .int(threads),
            "variables": .array(variables.map { .string($0) }),
        ]
    }

    /// What differs from a checkpoint's run, in words; `nil` where nothing does.
    func difference(from stored: StoredValues) throws(GraftError) -> String? {
        let before = try stored.part("settings")
        for (key, words) in Self.words where before[key] != settings[key] {
            // A run that continues in the process that stopped it.
            if key == "began", settings[key] == [stored["epochs"] ?? .null, stored["steps"] ?? .null] { continue }
            return "\(words) was \(Self.text(before[key])) and is \(Self.text(settings[key]))"
        }
        let names = try stored.elements("variables").map { $0.text ?? "" }
        if names != variables {
            let pair = zip(names, variables).first { $0 != $1 } ?? ("\(names.count)", "\(variables.count) variables")
            return "the model is another: it had \(pair.0) and has \(pair.1)"
        }
        guard stored["model"] == model else {
            return "the model's layers have other arguments, or other layers are frozen"
        }
        return data.difference(from: stored["data"] ?? .null)
    }

    /// The identity of the run that continues: begun where a checkpoint's was.
    func begun(as stored: StoredValues) throws(GraftError) -> RunIdentity {
        var result = self
        result.settings["began"] = try stored.part("settings")["began"]
        return result
    }

    /// What is no difference but may give other bits.
    func remarks(on stored: StoredValues) throws(GraftError) -> [String] {
        let before = try stored.integer("threads", in: 1...(.max))
        guard before != threads else { return [] }
        return [
            "the run was begun with \(before) threads and goes on with \(threads): results may differ in last digits"
        ]
    }

    private static func text(_ value: Configuration?) -> String {
        switch value {
        case nil, .null?: "none"
        case .array(let elements)?: elements.map { text($0) }.joined(separator: ", ")
        case .string(let text)?: text
        case let value?: value.brief
        }
    }
}

extension ExampleWeights {
    /// A hash of all weights.
    fileprivate var identity: String {
        var hash = SHA256()
        hash.update("\(classes.sorted { $0.key < $1.key })".utf8)
        (samples ?? []).withUnsafeBufferPointer { hash.update(UnsafeRawBufferPointer($0)) }
        return hash.finalize().hexadecimal
    }
}
