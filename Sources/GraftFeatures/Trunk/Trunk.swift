import GraftData
import GraftGraph
import GraftModel
import GraftRuntime

/// The part of a model that cannot change while it trains, ready to be run once per image.
package struct Trunk: Sendable {
    /// How many images one run takes: a number of its own, so that features do not depend on how a run batches.
    package static let batchSize = 16

    /// What names its features.
    let key: TrunkKey
    /// The shape of each feature of an example.
    let shapes: [Shape]
    private let parts: ModelParts
    private let backend: any Backend

    /// The trunk of a model.
    ///
    /// - Parameters:
    ///   - parts: those for batches of ``batchSize``.
    ///   - other: one that may be the same, so that its numbers need not be hashed again.
    /// - Throws: `GraftError` with code `state` where they have no trunk.
    package init(_ parts: ModelParts, backend: any Backend, like other: Trunk? = nil) throws {
        guard let graph = parts.trunk else {
            throw GraftError(.state, "the model has no part that stays the same while it trains")
        }
        (self.backend, self.parts) = (backend, parts)
        let isSame = other?.parts.variables == parts.variables && other?.parts.trunk?.isSame(as: graph) == true
        if let other, isSame {
            key = other.key
        } else {
            key = TrunkKey(graph: graph, precision: backend.capabilities.precision) {
                parts.variables[$0.rawValue].value
            }
        }
        shapes = graph.outputs.map { graph.shape(of: $0).ofExample }
    }

    /// The bytes of an image's row.
    var rowByteCount: Int { shapes.reduce(0) { $0 + $1.elementCount } * MemoryLayout<Float>.stride }

    /// The trunk made ready to run; holds its packed weights, so let it go when the features are there.
    func makeRunner() throws -> TrunkRunner {
        guard let graph = parts.trunk else {
            throw GraftError(.state, "the model has no part that stays the same while it trains")
        }
        let plan = try backend.compile(graph, PlanOptions(isConcurrent: true))
        try plan.bind(parts.values(readBy: graph))
        return TrunkRunner(plan: plan, inputNames: parts.modelInputNames)
    }

    /// How many runs at once are worthwhile.
    var concurrentRuns: Int { backend.capabilities.concurrentRuns }
}

/// Examples with their features.
typealias FeatureBatch = (examples: SourceBatch, features: [Tensor])

/// A trunk made ready to run, on several threads at once.
struct TrunkRunner: Sendable {
    fileprivate let plan: any Plan
    fileprivate let inputNames: [String]

    /// The features of one batch after the other, computed by a thread of its own while those before are used.
    func features(of stream: BatchStream<SourceBatch>, timeline: Timeline?) -> Prefetcher<FeatureBatch> {
        Prefetcher(name: "graft trunk") {
            timeline?.nameThread("trunk")
            guard let batch = try stream.next() else { return nil }
            return (batch, batch.indices.isEmpty ? [] : try run(batch.tensors))
        }
    }

    /// The features of decoded inputs with ``Trunk/batchSize`` rows at most, as many rows.
    private func run(_ inputs: [Tensor]) throws -> [Tensor] {
        let padded = inputs.map { $0.padded(toRows: Trunk.batchSize) }
        let features = try plan.run(Dictionary(uniqueKeysWithValues: zip(inputNames, padded)))
        return features.map { $0.prefix(rows: inputs[0].shape[0]) }
    }
}

extension Graph {
    /// Whether both compute the same from the same variables.
    fileprivate func isSame(as other: Graph) -> Bool {
        nodes.count == other.nodes.count && outputs == other.outputs
            && zip(nodes, other.nodes).allSatisfy { mine, theirs in
                mine.operands == theirs.operands && mine.elementType == theirs.elementType
                    && mine.operation == theirs.operation
            }
    }
}
