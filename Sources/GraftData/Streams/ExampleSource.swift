import Foundation
import GraftGraph
import Synchronization

/// Where a plan's inputs come from: decoded examples, or kept features.
package protocol ExampleSource: Sendable {
    /// These examples, in this order, without those that cannot be read.
    func fetch(_ indices: [Int]) throws -> SourceBatch
    /// What fetching is called in a profile.
    var activity: String { get }
}

extension ExampleSource {
    package var activity: String { "read features" }
}

/// Examples as inputs of a plan.
package struct SourceBatch: Sendable {
    /// The examples' numbers in the dataset, one for each row.
    package var indices: [Int] = []
    /// An array for each input of the plan.
    package var inputs: [HostArray] = []
    /// A tensor for each output of the model.
    package var targets: [Tensor]
    /// The examples that are missing.
    package var failures: [ExampleFailure]

    /// A batch of these parts.
    package init(
        indices: [Int] = [], inputs: [HostArray] = [], targets: [Tensor] = [], failures: [ExampleFailure] = []
    ) {
        (self.indices, self.inputs, self.targets, self.failures) = (indices, inputs, targets, failures)
    }

    /// Its inputs as dense arrays.
    package var tensors: [Tensor] { inputs.map(\.tensor) }
    /// Whether the rows of its inputs are compressed.
    package var isBitmap: Bool { inputs.allSatisfy(\.isBitmap) }

    /// Adds the rows of another batch after these.
    package mutating func append(_ other: SourceBatch) {
        failures += other.failures
        guard !other.indices.isEmpty else { return }
        guard !indices.isEmpty else {
            (indices, inputs, targets) = (other.indices, other.inputs, other.targets)
            return
        }
        indices += other.indices
        inputs = zip(inputs, other.inputs).map { .dense($0.tensor.appendingRows(of: $1.tensor)) }
        targets = zip(targets, other.targets).map { $0.appendingRows(of: $1) }
    }
}

/// Decodes examples as they are needed.
package struct DecodedSource: ExampleSource {
    package let dataset: any Dataset
    package var activity: String { "decode" }
    /// Memory of batches that were used: of each stream, one is used, one waits, one is made.
    private let memory: TensorPool

    /// Examples for so many streams of batches.
    package init(dataset: any Dataset, streams: Int = 1) {
        self.dataset = dataset
        memory = TensorPool(capacity: 3 * streams * ((dataset as? any PooledDataset)?.inputCount ?? 1))
    }

    package func fetch(_ indices: [Int]) throws -> SourceBatch {
        let pooled = dataset as? any PooledDataset
        let batch = try pooled?.batch(indices, in: memory) ?? dataset.batch(indices)
        return SourceBatch(
            indices: batch.indices, inputs: batch.inputs.map { .dense($0) }, targets: batch.targets,
            failures: batch.failures)
    }
}

/// Batches of a source in a given order, each full but the last, the next one made while this one is used.
///
/// An example that cannot be read is left out, and the batch is filled up with the next ones.
package final class BatchStream<Batch: Sendable>: Sendable {
    private let prefetcher: Prefetcher<Batch>

    /// Batches of `order`, up to `ahead` of them made before they are asked for. A batch without rows tells of failures
    /// alone.
    ///
    /// - Parameters:
    ///   - profiler: is told of every batch that was made.
    ///   - prepare: brings a batch into the form in which it is used, on the thread that reads.
    package init(
        _ source: any ExampleSource, order: [Int], batchSize: Int, ahead: Int = 1, profiler: (any ReadProfiler)? = nil,
        prepare: @escaping @Sendable (SourceBatch) throws -> Batch
    ) {
        var cursor = 0
        prefetcher = Prefetcher(name: "graft batches", ahead: ahead) {
            guard cursor < order.count else { return nil }
            let start = profiler?.now ?? 0
            defer { profiler?.addRead(source.activity, since: start) }
            var batch = SourceBatch()
            while batch.indices.count < batchSize, cursor < order.count {
                let end = min(cursor + batchSize - batch.indices.count, order.count)
                batch.append(try source.fetch(Array(order[cursor..<end])))
                cursor = end
            }
            return try prepare(batch)
        }
    }

    /// A stream of one batch, which is made already.
    package init(_ batch: Batch) {
        var rest: Batch? = batch
        prefetcher = Prefetcher(name: "graft batches") {
            defer { rest = nil }
            return rest
        }
    }

    /// The next batch, `nil` after the last.
    package func next() throws -> Batch? { try prefetcher.next() }

    /// What ``next()`` will give, where it is made already, or when it is made where `waits`.
    package func upcoming(waits: Bool) -> Batch? { prefetcher.upcoming(waits: waits) }
}

extension BatchStream where Batch == SourceBatch {
    /// Batches as their source gives them.
    package convenience init(
        _ source: any ExampleSource, order: [Int], batchSize: Int, ahead: Int = 1, profiler: (any ReadProfiler)? = nil
    ) {
        self.init(source, order: order, batchSize: batchSize, ahead: ahead, profiler: profiler) { $0 }
    }
}

extension Tensor {
    /// Whether no element is infinite or not a number: one pass over memory without a branch an element, by all processors
    /// where it takes milliseconds.
    package var isFinite: Bool {
        guard elementType != .int32 else { return true }
        let part = 1 << 20
        let found = Atomic(false)
        // Not once a part, where that makes a copy.
        let plain = stored(as: .float32)
        DispatchQueue.concurrentPerform(iterations: (count + part - 1) / part) { number in
            let overflow = plain.withUnsafeBuffer { elements in
                let exponent = Float.infinity.bitPattern
                // An exponent of all ones overflows into the sign's place when its lowest bit is added.
                return elements[(number * part)..<min((number + 1) * part, count)].reduce(UInt32(0)) {
                    $0 | (($1.bitPattern & exponent) &+ 0x0080_0000)
                }
            }
            if overflow & 0x8000_0000 != 0 { found.store(true, ordering: .relaxed) }
        }
        return !found.load(ordering: .relaxed)
    }
}
