import GraftGraph
import Synchronization
import Testing

@testable import GraftTraining

/// Runs plans on the reference interpreter, so that training is tested without a machine's kernels.
struct ReferenceBackend: Backend {
    /// Counts plans' runs, by a part of the name of their first input.
    let runs = RunCounter()
    var capabilities: BackendCapabilities {
        BackendCapabilities(identity: "reference \(ObjectIdentifier(runs))", precision: "reference")
    }

    func compile(_ graph: Graph, _ options: PlanOptions) throws -> any Plan { ReferencePlan(graph, runs) }
}

final class RunCounter: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    func count(_ inputs: [String: Tensor]) {
        counts.withLock { counts in for name in inputs.keys { counts[name, default: 0] += 1 } }
    }
    subscript(input: String) -> Int { counts.withLock { $0[input] ?? 0 } }
}

/// Inputs as they are.
private final class ReferenceFeed: Feed {
    let inputs: [String: Tensor]
    var byteCount: Int { 0 }
    init(_ inputs: [String: Tensor]) { self.inputs = inputs }
}

final class ReferencePlan: Plan {
    private let graph: Graph
    private let runs: RunCounter
    private let values = Mutex<[VariableID: Tensor]>([:])
    private let updateTypes: [VariableID: ElementType]

    init(_ graph: Graph, _ runs: RunCounter) {
        (self.graph, self.runs) = (graph, runs)
        updateTypes = Dictionary(uniqueKeysWithValues: graph.updates.map { ($0.variable, graph[$0.value].elementType) })
    }

    func bind(_ values: [VariableID: Tensor]) throws { self.values.withLock { $0 = values } }
    func unbind() { values.withLock { $0 = [:] } }
    func value(of variable: VariableID) -> Tensor? { values.withLock { $0[variable] } }

    func feed(_ inputs: [String: HostArray]) throws -> any Feed { ReferenceFeed(inputs.mapValues(\.tensor)) }

    func run(_ feed: any Feed, scalars: [String: Float], next: (any Feed)?, randomKey: UInt64) throws -> [Tensor] {
        guard let feed = feed as? ReferenceFeed else { throw GraftError(.argument, "no feed of the interpreter") }
        let inputs = feed.inputs.merging(scalars.mapValues { Tensor($0) }) { own, _ in own }
        runs.count(inputs)
        let results = try Interpreter.run(
            graph, inputs: inputs.mapValues { ReferenceArray($0) },
            variables: values.withLock { $0.mapValues { ReferenceArray($0) } }, randomKey: randomKey)
        // As the protocol says, nothing is updated where the first output is not finite.
        if let first = results.outputs.first?.tensor, !graph.updates.isEmpty, !first[0].isFinite { return [first] }
        values.withLock { values in
            for (id, value) in results.updates { values[id] = value.tensor.stored(as: updateTypes[id] ?? .float32) }
        }
        return results.outputs.map(\.tensor)
    }
}
