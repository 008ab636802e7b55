import GraftData
import GraftGraph
import GraftModel

/// The epochs and their steps.
extension FitRun {
    func train(_ runner: StepRunner, _ examples: Examples, _ validator: Validator?) throws {
        var examples = examples
        examples.leaveOut(position.unreadable)
        validator?.leaveOut(validationUnreadable)
        while position.epoch <= arguments.epochs, !run.isStopping {
            try trainAndValidate(runner, &examples, validator)
            let isLast = position.epoch > arguments.epochs || run.isStopping
            let mustKeep = isLast && arguments.checkpoint?.keepsFile == true
            try takeCheckpoint(runner, atEpochEnd: true, always: mustKeep)
        }
        adoptAverages(of: runner)
    }

    /// Does an epoch, or the rest of one.
    private func trainAndValidate(
        _ runner: StepRunner, _ examples: inout Examples, _ validator: Validator?
    ) throws {
        let epoch = position.epoch
        position.startClock()
        if !position.isInEpoch {
            position.unreadable = examples.unreadable
            position.begin(compilation.metrics)
            try emit(.epochBegan(epoch))
        }
        try trainEpoch(runner, &examples, validator)
        var figures = position.figures.values
        if let validator {
            defer { validationUnreadable = validator.unreadable }
            let measured = try validator.validate(epoch: epoch, values: variables(of: runner))
            figures.merge(measured) { first, _ in first }
        }
        runner.recycle(try keep(variables(of: runner), epoch: epoch, examples))
        let seconds = position.seconds
        run.history.exampleCount = examples.readable.count + (validator?.exampleCount ?? 0)
        run.history.append(epoch: epoch, figures, seconds: seconds)
        position.end()
        try emit(.epoch(EpochReport(epoch: epoch, figures: figures, seconds: seconds)))
    }

    /// Gives the model what training changed.
    ///
    /// - Returns: the values before, which the model then holds no more.
    /// - Throws: `GraftError` with code `data` where a number is not finite, which the loss shows a step later only.
    private func keep(_ values: [Variable: Tensor], epoch: Int, _ examples: Examples) throws -> [Variable: Tensor] {
        // Of several the one nearest to the loss, where the gradients come from.
        if let variable = model.variables.last(where: { values[$0]?.isFinite == false }) {
            throw nonFinite(variable, epoch: epoch, examples)
        }
        compilation.epochCount += 1
        runningValues = [:]
        var former: [Variable: Tensor] = [:]
        for (variable, value) in values { former[variable] = variable.exchange(value) }
        return former
    }

    /// Trains on every example once, or on those that an earlier process left.
    private func trainEpoch(_ runner: StepRunner, _ examples: inout Examples, _ validator: Validator?) throws {
        let epoch = position.epoch
        let order = order(of: examples)
        let stream = takeStream(of: examples, order: Array(order[min(position.done, order.count)...]))
        try restAndCheckCancellation()
        while let batch = try stream.next() {
            try restAndCheckCancellation()
            for failure in examples.leaveOut(batch.failures) { try emit(.problem(failure)) }
            let done = position.done + batch.indices.count + batch.failures.count
            guard !batch.indices.isEmpty else {
                (position.done, position.unreadable) = (done, examples.unreadable)
                continue
            }
            let left = order.count - done
            if left <= 2 * arguments.batchSize { readAhead(examples, isLast: left == 0, validator) }
            let (loss, statistics) = try trainStep(
                runner, batch, next: upcoming(stream, examples), epoch: epoch, step: position.step + 1)
            let count = batch.indices.count
            position.figures.add(lossSum: loss * Double(count), statistics: statistics, examples: count)
            position.step += 1
            (position.done, position.unreadable) = (done, examples.unreadable)
            let progress = Progress(done: done, total: order.count, elapsed: position.seconds)
            try emit(
                .step(
                    StepReport(
                        epoch: epoch, step: position.step, progress: progress, loss: loss,
                        figures: position.figures.values)))
            try takeCheckpoint(runner, atEpochEnd: false)
        }
        guard position.step > 0 else { throw DataCheck.nothingReadable(run.history.failures) }
    }

    private func trainStep(
        _ runner: StepRunner, _ batch: SourceBatch, next: SourceBatch?, epoch: Int, step: Int
    ) throws -> (loss: Double, statistics: ArraySlice<Tensor>) {
        let rate = run.learningRate
        let scalars = OptimizerProgram(compilation.optimizer).scalars(step: compilation.stepCount, learningRate: rate)
        let weights = batch.targets.first.flatMap { arguments.weights?.weights(of: batch.indices, targets: $0) }
        let key = randomness.key(step: compilation.stepCount)
        let outputs = try runner.run(batch, next: next, scalars: scalars, weights: weights, randomKey: key)
        compilation.stepCount += 1
        run.step = compilation.stepCount
        let loss = Double(outputs[0][0])
        guard loss.isFinite else {
            let origin =
                arguments.explainsFailures
                ? originOfNonFiniteLoss(runner, batch, scalars: scalars, weights: weights, randomKey: key) : .unknown
            throw GraftError(
                .data,
                "the loss became \(loss.isNaN ? .nan : loss) at step \(step) of epoch \(epoch), with a learning rate of \(rate): "
                    + origin.explanation(step: step))
        }
        return (loss, outputs.dropFirst())
    }
}
