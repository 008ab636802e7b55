import GraftData
import GraftFeatures
import GraftModel

/// The batches of an epoch, and those of the next one while it ends.
///
/// A step that knows the next batch does some of its work along with its own, and reading is quicker than such a step: so
/// a step on features waits until its next batch is read, and the last step of an epoch takes the first batch of the next
/// one for it. Examples that are decoded take longer than a step, and tell only then which of them cannot be read.
extension FitRun {
    /// The order of the running epoch.
    func order(of examples: Examples) -> [Int] {
        order(of: examples, leavingOut: position.leftOut, epoch: compilation.epochCount)
    }

    /// Every example once, in the view of the epoch.
    ///
    /// - Parameter epoch: the number of epochs since `compile` that were before it.
    private func order(of examples: Examples, leavingOut unreadable: Set<Int>, epoch: Int) -> [Int] {
        let order = (0..<examples.count).filter { !unreadable.contains($0) }
        let first = epoch % examples.views * examples.count
        return (arguments.shuffle ? randomness.shuffled(order, epoch: epoch) : order).map { first + $0 }
    }

    /// The batches of these examples: those that are being read already, where they are in this order.
    func takeStream(of examples: Examples, order: [Int]) -> BatchStream {
        defer { streamAhead = nil }
        if let streamAhead, streamAhead.order == order { return streamAhead.stream }
        return stream(of: examples, order: order)
    }

    private func stream(of examples: Examples, order: [Int]) -> BatchStream {
        // Steps on features are short, so that some more are read for the moments in which reading does not get its turn.
        BatchStream(
            examples.source, order: order, batchSize: arguments.batchSize,
            ahead: examples.source is FeatureSource ? 4 : 2, profiler: arguments.options.profiler)
    }

    /// Has features read that are used when the running epoch ends.
    ///
    /// - Parameter isLast: whether the epoch's last batch was taken, so that validation is next.
    func readAhead(_ examples: Examples, isLast: Bool, _ validator: Validator?) {
        guard examples.source is FeatureSource else { return }
        if streamAhead == nil, position.epoch < arguments.epochs, !run.isStopping {
            let next = order(
                of: examples, leavingOut: examples.unreadable, epoch: compilation.epochCount + 1)
            streamAhead = (next, stream(of: examples, order: next))
        }
        if isLast { validator?.readAhead() }
    }

    /// The batch behind the one that is about to be used, where it is known.
    func upcoming(_ stream: BatchStream, _ examples: Examples) -> SourceBatch? {
        let waits = examples.source is FeatureSource
        return stream.upcoming(waits: waits) ?? streamAhead?.stream.upcoming(waits: waits)
    }
}
