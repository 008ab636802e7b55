import Foundation
import GraftGraph
import GraftModel
import Testing

@testable import GraftTraining

/// What Keras's callbacks did: `Tests/Keras/callbacks.py` writes it.
struct CallbackFixture: Decodable {
    struct Case: Decodable, Sendable {
        let series: Int
        let monitor: String
        let modeName: String
        let arguments: Arguments
        // EarlyStopping
        let epochs: Int?
        let best: Double?
        let bestEpoch: Int?
        let weights: Int?
        // ReduceLROnPlateau
        let rates: [Float]?
        // ModelCheckpoint
        let name: String?
        let saved: [String]?

        var mode: MonitorMode { MonitorMode(rawValue: modeName) ?? .auto }

        enum CodingKeys: String, CodingKey {
            case series, monitor, arguments, epochs, best, bestEpoch, weights, rates, name, saved
            case modeName = "mode"
        }
    }

    struct Arguments: Decodable, Sendable {
        let patience: Int?
        let minDelta: Double?
        let baseline: Double?
        let startFromEpoch: Int?
        let cooldown: Int?
        let factor: Double?
        let minLR: Double?
        let saveBestOnly: Bool?
        let initialValueThreshold: Double?

        enum CodingKeys: String, CodingKey {
            case patience, baseline, cooldown, factor
            case minDelta = "min_delta"
            case startFromEpoch = "start_from_epoch"
            case minLR = "min_lr"
            case saveBestOnly = "save_best_only"
            case initialValueThreshold = "initial_value_threshold"
        }
    }

    struct Table: Decodable, Sendable {
        let separator: String
        let before: String?
        let rows: [[String: Double]]
        let text: String
    }

    struct Scheduler: Decodable, Sendable {
        let schedule: String
        let rates: [Float]
    }

    struct Board: Decodable, Sendable {
        let steps: [String: [String: [Int]]]
        let kernel: [Float]
        let histogram: [Double]
    }

    let series: [[Double]]
    let earlyStopping: [Case]
    let plateau: [Case]
    let checkpoint: [Case]
    let tables: [Table]
    let schedulers: [Scheduler]
    let tensorboard: Board

    static func load() throws -> CallbackFixture {
        let file = try #require(Bundle.module.url(forResource: "Fixtures/callbacks", withExtension: "json"))
        return try JSONDecoder().decode(CallbackFixture.self, from: Data(contentsOf: file))
    }
}

/// Lets callbacks see a run of given figures, without any training.
///
/// The model has one variable, which holds the epoch's number after each epoch.
struct PlayedRun {
    let run: TrainingRun
    let variable: Variable
    private let key: String

    init(key: String = "val_loss", rate: Float = 0.5) throws {
        let model = try Sequential([Dense(1, useBias: false)], inputShape: [1])
        let metrics = [Metric.accuracy, .auc, Metric("own") { predictions, _ in try predictions.reduced(.sum) }]
        run = TrainingRun(
            model: model,
            Compilation(
                optimizer: SGD(learningRate: .constant(rate)),
                objective: Objective([(name: "output", loss: .meanSquaredError, weight: 1)]),
                metrics: metrics.map { OutputMetric(key: $0.name, output: 0, $0) }))
        run.changingVariables = model.variables
        (variable, self.key) = (try #require(model.variables.first), key)
    }

    func begin(_ callback: any Callback, validation: Int = 1) throws {
        let outline = TrainingOutline(
            examples: 1, validationExamples: validation, epochs: 100, batchSize: 1, trainableParameters: 1,
            keepsFeatures: false)
        try callback.handle(.began(outline), in: run)
    }

    /// - Returns: the number of epochs until somebody stopped the run, or all.
    @discardableResult
    func play(
        _ callback: any Callback, _ values: [Double], from first: Int = 1, each: (Int) -> Void = { _ in }
    ) throws -> Int {
        var epoch = first - 1
        for value in values where !run.isStopping {
            epoch += 1
            try callback.handle(.epochBegan(epoch), in: run)
            variable.value = Tensor(repeating: Float(epoch), shape: variable.shape)
            let report = EpochReport(epoch: epoch, figures: ["loss": 1, key: value], seconds: 0)
            try callback.handle(.epoch(report), in: run)
            each(epoch)
        }
        return epoch
    }

    func end(_ callback: any Callback, interrupted: Bool = false) throws {
        var history = History()
        history.isInterrupted = interrupted
        try callback.handle(.ended(history), in: run)
    }
}

/// A folder that goes with the test.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = NSTemporaryDirectory() + "graft-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}
