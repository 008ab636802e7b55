import GraftData
import GraftFeatures
import GraftGraph
import GraftModel
import GraftRuntime

/// Does the training steps of a run, epoch by epoch. Knows of validation and checkpoints nothing but the moments at which they
/// are due.
///
/// A step that knows the next batch does some of its work along with its own, and reading features is quicker than such a
/// step: so a step on features waits until its next batch is read, and the last step of an epoch takes the first batch of the
/// next one for it. Examples that are decoded take longer than a step, and tell only then which of them cannot be read.
final class Trainer {
    /// What `fit` was asked for that concerns steps.
    struct Settings {
        let compilation: Compilation
        let batchSize: Int
        let epochs: Int
        let shuffle: Bool
        let randomness: RunRandomness
        let profiler: Profiler?
    }

    private let settings: Settings
    private let run: TrainingRun
    private let events: RunEvents
    private let runner: StepRunner
    private let tracer: NaNTracer?
    private(set) var examples: Examples
    /// The arrays that no plan has.
    private let arrays: ArrayBox
    /// The batches of the next epoch, where they are being read already, and the order for which they are.
    private var streamAhead: (order: [Int], stream: BatchStream<FedBatch>)?

    /// Arrays on their way between the run and its plans.
    private final class ArrayBox {
        var content: TrainingArrays
        init(_ content: TrainingArrays) { self.content = content }
    }

    /// - Parameters:
    ///   - arrays: those that earlier steps left.
    ///   - tracer: NaN tracing, for a loss that is NaN or infinite; off where it is `nil`.
    init(
        _ settings: Settings, _ run: TrainingRun, _ events: RunEvents, _ plans: StepPlans, _ examples: Examples,
        arrays: TrainingArrays, tracer: NaNTracer?
    ) {
        (self.settings, self.run, self.events, self.tracer) = (settings, run, events, tracer)
        let box = ArrayBox(arrays)
        self.arrays = box
        runner = StepRunner(plans) { program, id in
            if let variable = program.variables[id] { return box.content.take(variable) }
            return program.slots[id].map { box.content.take($0) }
        }
        self.examples = examples
        self.examples.leaveOut(run.state.position.unreadable)
    }

    // MARK: Epochs

    /// Trains on every example once, or on those that an earlier process left.
    ///
    /// - Parameters:
    ///   - lastBatch: called when the epoch's last batch was taken.
    ///   - afterStep: called between steps.
    func trainEpoch(lastBatch: () -> Void, afterStep: () throws -> Void) throws {
        try beginEpoch()
        let order = order(leavingOut: run.state.position.leftOut, epoch: run.state.epochCount)
        let stream = takeStream(
            Array(order[min(run.state.position.done, order.count)...]), epoch: run.state.epochCount)
        try events.checkCancellation()
        while let batch = try stream.next() {
            try events.checkCancellation()
            for failure in examples.leaveOut(batch.failures) { try events.emit(.problem(failure)) }
            let done = run.state.position.done + batch.indices.count + batch.failures.count
            let left = order.count - done
            if !batch.indices.isEmpty {
                if left <= 2 * settings.batchSize { readAhead() }
                if left == 0 { lastBatch() }
            }
            let loss = try batch.indices.isEmpty ? nil : train(batch, next: upcoming(stream))
            (run.state.position.done, run.state.position.unreadable) = (done, examples.unreadable)
            guard let loss else { continue }
            try emitStep(loss: loss, of: order.count)
            try afterStep()
        }
        guard run.state.position.step > 0 else { throw DataCheck.nothingReadable(run.history.failures) }
    }

    private func beginEpoch() throws {
        run.state.position.startClock()
        guard !run.state.position.isInEpoch else { return }
        run.state.position.unreadable = examples.unreadable
        run.state.position.begin(settings.compilation.measures)
        try events.emit(.epochBegan(run.state.position.epoch))
    }

    /// - Returns: the loss.
    private func train(_ batch: FedBatch, next: FedBatch?) throws -> Double {
        let (rate, steps) = (run.learningRate, run.state.stepCount)
        let scalars = OptimizerProgram(settings.compilation.optimizer).scalars(step: steps, learningRate: rate)
        let key = settings.randomness.key(step: steps)
        let outputs = try runner.run(batch, next: next, scalars: scalars, randomKey: key)
        run.state.stepCount += 1
        let loss = Double(outputs[0][0])
        guard loss.isFinite else { throw nonFinite(loss, batch, scalars, key, rate) }
        let count = batch.indices.count
        run.state.position.figures.add(
            outputs, targets: batch.batch.targets, examples: count, scale: Double(count))
        run.state.position.step += 1
        return loss
    }

    private func emitStep(loss: Double, of total: Int) throws {
        let position = run.state.position
        let progress = Progress(done: position.done, total: total, elapsed: position.seconds)
        try events.emit(
            .step(
                StepReport(
                    epoch: position.epoch, step: position.step, progress: progress, loss: loss,
                    figures: position.figures.valuesOfStep)))
    }

    private func nonFinite(
        _ loss: Double, _ batch: FedBatch, _ scalars: [String: Float], _ key: UInt64, _ rate: Float
    ) -> GraftError {
        let (step, epoch) = (run.state.position.step + 1, run.state.position.epoch)
        let origin = tracer?.origin(of: batch, runner, scalars: scalars, randomKey: key) ?? .unknown
        return GraftError(
            .data,
            "the loss became \(loss.isNaN ? .nan : loss) at step \(step) of epoch \(epoch), with a learning rate of \(rate): "
                + origin.explanation(step: step))
    }

    // MARK: Batches

    /// Every example once, in the view of the epoch.
    ///
    /// - Parameter epoch: the number of epochs since `compile` that were before it.
    private func order(leavingOut unreadable: Set<Int>, epoch: Int) -> [Int] {
        let order = (0..<examples.count).filter { !unreadable.contains($0) }
        let first = epoch % examples.views * examples.count
        return (settings.shuffle ? settings.randomness.shuffled(order, epoch: epoch) : order).map { first + $0 }
    }

    private var readsFeatures: Bool { examples.areFeatures }

    /// The batches of these examples: those that are being read already, where they are in this order.
    private func takeStream(_ order: [Int], epoch: Int) -> BatchStream<FedBatch> {
        defer { streamAhead = nil }
        if let streamAhead, streamAhead.order == order { return streamAhead.stream }
        return stream(order, epoch: epoch)
    }

    private func stream(_ order: [Int], epoch: Int) -> BatchStream<FedBatch> {
        // Steps on features are short, so that some more are read for the moments in which reading does not get its turn.
        BatchStream(
            examples.source(inEpoch: epoch), order: order, batchSize: settings.batchSize, ahead: readsFeatures ? 4 : 2,
            profiler: settings.profiler, prepare: runner.plans.feed)
    }

    /// Has features read that are used when the running epoch ends.
    private func readAhead() {
        guard readsFeatures, streamAhead == nil else { return }
        guard run.state.position.epoch < settings.epochs, !run.isStopping else { return }
        let next = order(leavingOut: examples.unreadable, epoch: run.state.epochCount + 1)
        streamAhead = (next, stream(next, epoch: run.state.epochCount + 1))
    }

    /// The batch after the one that is about to be used, where it is known.
    private func upcoming(_ stream: BatchStream<FedBatch>) -> FedBatch? {
        stream.upcoming(waits: readsFeatures) ?? streamAhead?.stream.upcoming(waits: readsFeatures)
    }

    // MARK: Arrays

    /// What training changed, as it is now, shared: the next step writes elsewhere what it changes.
    var variables: [Variable: Tensor] { runner.program == nil ? arrays.content.running : runner.updatedVariables }

    /// Gives the model what the epoch changed.
    ///
    /// - Throws: `GraftError` with code `data` where an element is not finite, which the loss shows a step later only.
    func giveToModel(_ model: Model) throws {
        let values = variables
        // Of several the one nearest to the loss, where the gradients come from.
        if let variable = model.variables.last(where: { values[$0]?.isFinite == false }) {
            throw nonFinite(variable)
        }
        run.state.epochCount += 1
        arrays.content.running = [:]
        for (variable, value) in values { variable.value = value }
    }

    private func nonFinite(_ variable: Variable) -> GraftError {
        let position = run.state.position
        let order = order(leavingOut: position.leftOut, epoch: run.state.epochCount)
        let found = try? tracer?.originInEpoch(of: examples, order: order, batchSize: settings.batchSize)
        let reason =
            found.map { "in step \($0.step) \($0.origin.explanation(step: $0.step))" }
            ?? "the losses of all its \(position.step) steps were finite; use a smaller rate, or clip gradients"
        return GraftError(
            .data,
            "\(variable.path) holds numbers that are not finite after epoch \(position.epoch), with a learning rate of "
                + "\(run.learningRate): \(reason). The model is that of the epoch before")
    }

    /// All arrays as they are now, shared.
    func snapshot() -> TrainingArrays {
        var snapshot = arrays.content
        guard let program = runner.program else { return snapshot }
        snapshot.running = runner.updatedVariables
        let none = [Tensor?](repeating: nil, count: OptimizerProgram(settings.compilation.optimizer).slots.count)
        for (id, value) in runner.values(updatedOnly: true) {
            guard let address = program.slots[id] else { continue }
            snapshot.slots[address.variable, default: none][address.index] = value
        }
        return snapshot
    }

    /// Gives the model the moving averages of its variables, where the optimizer keeps them: Keras's
    /// `finalize_variable_values`.
    func giveAverages(to model: Model) {
        guard let position = OptimizerProgram(settings.compilation.optimizer).slots.firstIndex(of: .average) else {
            return
        }
        let slots = snapshot().slots
        for variable in model.trainableVariables {
            if let average = slots[variable]?[position] { variable.value = average }
        }
    }
}
