import ArgumentParser
import Graft

/// A step of the tutorial's head on features that are there already, through `fit`.
struct HeadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "head", abstract: "Time the steps of Dense, Dropout, Dense on features; print the first losses.")

    @OptionGroup var common: CommonOptions

    @Option(help: "Features (examples, numbers) as .npy.")
    var features: String

    @Option(help: "A label of 0 or 1 for each example, as .npy.")
    var labels: String

    @Option(help: "The initial kernel of the hidden layer (numbers, units), as .npy; its biases are 0.")
    var kernel: String

    @Option(help: "The initial kernel of the output layer (units, 1), as .npy; its bias is 0.")
    var output: String

    @Option(help: "What the optimizer's state is stored as.")
    var optimizerState = ElementType.float32

    func run() throws {
        let (inputs, targets) = (
            try NumpyFile.tensor(contentsOf: features), try NumpyFile.tensor(contentsOf: labels)
        )
        let examples = try ArrayDataset(inputs: inputs, targets: targets)
        let plain = try train(examples, dropout: 0, epochs: 1)
        let epochs = max(2, Int(common.seconds / max(plain.seconds.reduce(0, +), 0.01)))
        let timed = try train(examples, dropout: 0.2, epochs: epochs)
        // The first epoch warms up.
        let warm = timed.seconds.count / epochs
        try report(["losses": plain.losses, "seconds": Array(timed.seconds.dropFirst(warm))])
    }

    /// Trains from the given kernels with RMSprop 1e-4; the losses and times of all steps.
    private func train(
        _ examples: ArrayDataset, dropout: Double, epochs: Int
    ) throws -> (losses: [Double], seconds: [Double]) {
        let hidden = try NumpyFile.tensor(contentsOf: kernel)
        let last = try NumpyFile.tensor(contentsOf: output)
        let head = try Sequential([
            InputLayer(shape: [hidden.shape[0]]), Dense(hidden.shape[1], activation: .relu), Dropout(dropout),
            Dense(1, activation: .sigmoid),
        ])
        try head.setWeights([hidden, Tensor(zeros: [hidden.shape[1]]), last, Tensor(zeros: [1])])
        let settings = OptimizerSettings(stateType: optimizerState)
        try head.compile(
            optimizer: RMSprop(learningRate: 1e-4, settings: settings), loss: .binaryCrossentropy, metrics: [.accuracy])
        let clock = StepClock()
        var losses: [Double] = []
        let recorder = EventHandler { event in
            switch event {
            case .epochBegan: clock.start()
            case .step(let report):
                clock.mark()
                losses.append(report.loss)
            default: break
            }
        }
        try head.fit(
            examples, batchSize: common.batchSize, epochs: epochs, shuffle: false, callbacks: [recorder],
            options: common.options(features: .off))
        return (losses, clock.samples)
    }
}

extension ElementType: ExpressibleByArgument {}
