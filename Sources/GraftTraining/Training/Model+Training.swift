import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

extension Model {
    /// Trains on every example of a dataset, `epochs` times.
    ///
    /// The part of the model that cannot change (see ``FeatureCache``) runs once per image; the rest runs each epoch.
    /// Which layers train is looked at when `fit` begins. The model's variables change at the end of each epoch and at
    /// no other time; where a run stops in the middle of one, the model is that of the last complete epoch (the
    /// optimizer's arrays and its count of steps are those of the last step).
    ///
    /// - Parameters:
    ///   - examples: what to learn from.
    ///   - batchSize: examples in a step; the last step of an epoch may have fewer.
    ///   - epochs: how often each example is seen.
    ///   - validation: what to measure on at the end of each epoch.
    ///   - shuffle: whether each epoch has an order of its own.
    ///   - seed: what orders and dropout follow from; the same seed, machine and thread count give the same bits.
    ///   - classWeights: what the losses of a class's examples are multiplied with, by class number; 1 where none is
    ///     given.
    ///   - sampleWeights: what each example's loss is multiplied with, in the order of `examples`. Either kind of weights
    ///     counts in the loss of training alone, whose mean is over the number of examples, not over their weights, as in
    ///     Keras; with both, an example has their product.
    ///   - callbacks: what follows the run, in order.
    ///   - options: threads, cache, a flag to stop.
    ///   - checkpoint: where and how often the run is kept; one that finds a checkpoint there continues from it, and ends
    ///     with the same bits as a run that nothing ended. See ``Checkpointing``.
    /// - Returns: loss and metrics per epoch. Where `options.cancellation` was raised, it ends with the last complete
    ///   epoch and `isInterrupted` is true.
    /// - Throws: `GraftError`: `state` before `compile` or where nothing is trainable, `argument` and `data` for
    ///   arguments and examples that do not fit, `data` for a loss that is not finite, `file` for a full disk; `state`
    ///   for a checkpoint of another run, `format` for one that is damaged where there is none before it.
    @discardableResult
    public func fit(
        _ examples: any Dataset, batchSize: Int = 32, epochs: Int = 1, validation: (any Dataset)? = nil,
        shuffle: Bool = true, seed: UInt64 = 0, classWeights: [Int: Float] = [:], sampleWeights: [Float]? = nil,
        callbacks: [any Callback] = [], options: TrainingOptions = TrainingOptions(), checkpoint: Checkpointing? = nil
    ) throws -> History {
        try requirePositive(batchSize, "batchSize")
        try requirePositive(epochs, "epochs")
        try checkpoint?.validate()
        let weights = try ExampleWeights(classes: classWeights, samples: sampleWeights, count: examples.count)
        let state = TrainingState.of(self)
        let compilation = try state.begin()
        let arguments = FitRun.Arguments(
            batchSize: batchSize, epochs: epochs, shuffle: shuffle, seed: seed, weights: weights, callbacks: callbacks,
            options: options, checkpoint: checkpoint)
        let run: FitRun
        do {
            run = try FitRun(self, compilation, training: examples, validation: validation, arguments)
        } catch {
            state.end(compilation)
            throw error
        }
        defer { state.end(run.compilation) }
        return try run.execute()
    }
}
