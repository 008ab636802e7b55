import ArgumentParser
import Foundation
import Graft

/// The steps of training the upper part of a base, on features that are kept below it.
struct FineTuningCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fine-tuning", abstract: "Time the training steps of InceptionV3 from a layer upwards.")

    @OptionGroup var common: CommonOptions

    @Option(help: "Height and width of the random images.")
    var size = 150

    @Option(help: "The layer from which on the network trains.")
    var from = "mixed5"

    @Option(help: "Steps that are timed, after as many that are not.")
    var steps = 6

    @Option(help: "float32 or bfloat16.")
    var precision = "float32"

    func run() throws {
        let base = try InceptionV3(includeTop: false, inputShape: [size, size, 3])
        let features = try GlobalAveragePooling2D()(base.output)
        let model = try Model(inputs: base.input, outputs: Dense(1, activation: .sigmoid)(features))
        model.freeze()
        try model.unfreeze(from: from)
        model.setStatistics(.frozen)
        try model.compile(optimizer: RMSprop(learningRate: 1e-5), loss: .binaryCrossentropy)
        let clock = StepClock()
        let callback = LambdaCallback(
            onEpochBegin: { _, _ in clock.start() }, onTrainBatchEnd: { _, _ in clock.mark() })
        let options = try common.options(features: .temporary, precision: precision)
        try model.fit(
            images(), batchSize: common.batchSize, epochs: 2, callbacks: [callback], options: options)
        let seconds = Array(clock.samples.suffix(steps))
        try report([
            "images": common.batchSize, "precision": precision, "seconds": seconds, "sum": seconds.reduce(0, +),
        ])
    }

    private func images() throws -> ArrayDataset {
        var generator = SystemRandomNumberGenerator()
        let shape: Shape = [common.batchSize * steps, size, size, 3]
        let values = (0..<shape.elementCount).map { _ in Float.random(in: 0...255, using: &generator) }
        return try ArrayDataset(
            inputs: Tensor(values, shape: shape),
            targets: Tensor((0..<shape[0]).map { Float($0 % 2) }, shape: [shape[0]]))
    }
}
