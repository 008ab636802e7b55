import ArgumentParser
import Foundation
import Graft

/// The throughput of a frozen base, through `forEachPrediction`: what a user's program gets.
struct TrunkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trunk", abstract: "Time InceptionV3 up to a cut, batch by batch.")

    @OptionGroup var common: CommonOptions

    @Option(help: "InceptionV3's weight file without top; random weights if not given.")
    var weights: String?

    @Option(help: "Pictures as an array (images, height, width, 3) of 0…255; random ones if not given.")
    var pixels: String?

    @Option(help: "Height and width of random pictures.")
    var size = 150

    @Option(help: "The layer at which the network is cut off.")
    var cut = "mixed7"

    @Option(help: "float32 or bfloat16.")
    var precision = "float32"

    @Option(help: "Where the features go, as .npy.")
    var features: String?

    func run() throws {
        let images = try pixels.map { try NumpyFile.tensor(contentsOf: $0) } ?? noise()
        let base = try InceptionV3(
            weights: weights.map { .file($0) } ?? .none, includeTop: false,
            inputShape: Shape(Array(images.shape.dimensions.dropFirst())))
        base.freeze()
        let trunk = try Model(inputs: base.input, outputs: base.layer(named: cut).output)
        let options = try common.options(precision: precision)
        if let features {
            let result = try trunk.predict(
                ArrayDataset(inputs: images), batchSize: common.batchSize, options: options)
            try NumpyFile.write(result.outputs[0], to: features)
        }
        try report([
            "images": common.batchSize, "precision": precision,
            "seconds": try times(trunk, images, options),
        ])
    }

    /// Seconds a batch. The same images come again and again: nothing is kept between batches but the plan.
    private func times(_ trunk: Model, _ images: Tensor, _ options: TrainingOptions) throws -> [Double] {
        let dataset = RepeatedBatch(images, size: common.batchSize)
        let warm = RepeatedBatch(images, size: common.batchSize, count: 3)
        let clock = StepClock()
        try trunk.forEachPrediction(of: warm, batchSize: common.batchSize, options: options) { _ in }
        let end = Date(timeIntervalSinceNow: common.seconds)
        clock.start()
        do {
            try trunk.forEachPrediction(of: dataset, batchSize: common.batchSize, options: options) { _ in
                clock.mark()
                if Date.now >= end, clock.samples.count >= 5 { throw Enough() }
            }
        } catch is Enough {}
        // The first batch waits for its pictures.
        return Array(clock.samples.dropFirst())
    }

    private func noise() -> Tensor {
        var generator = SystemRandomNumberGenerator()
        let shape: Shape = [common.batchSize, size, size, 3]
        let values = (0..<shape.elementCount).map { _ in Float.random(in: 0...255, using: &generator) }
        return Tensor(values, shape: shape)
    }

    private struct Enough: Error {}
}

/// A dataset that gives the same batch many times, without a copy.
struct RepeatedBatch: Dataset {
    let batch: Tensor
    let count: Int
    let classNames: [String]? = nil
    let inputRule: InputRule? = nil

    /// The first `size` rows, repeated where there are fewer.
    init(_ images: Tensor, size: Int, count: Int = 100_000) {
        batch = images.rows((0..<size).map { $0 % images.shape[0] })
        self.count = count * size
    }

    func batch(_ indices: [Int]) throws -> Batch { Batch(indices: indices, inputs: [batch], targets: []) }
    func targets(of indices: [Int]) throws -> [Tensor] { [] }
    func fingerprint(of index: Int) throws -> String? { nil }
}

extension TrainingOptions {
    /// These options with a precision.
    func computing(in precision: String) throws -> TrainingOptions {
        guard let precision = Precision(rawValue: precision) else {
            let known = Precision.allCases.map(\.rawValue).joined(separator: ", ")
            throw GraftError(.argument, "the precision '\(precision)' is not known; it is one of \(known)")
        }
        var options = self
        options.precision = precision
        return options
    }
}
