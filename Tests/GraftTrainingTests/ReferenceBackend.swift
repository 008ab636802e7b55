import GraftGraph
import Synchronization
import Testing

@testable import GraftTraining

/// Runs plans on the reference interpreter, so that training is tested without a machine's kernels.
struct ReferenceBackend: Backend {
    let precision = "reference"
    /// Counts plans' runs, by a part of the name of their first input.
    let runs = RunCounter()
    var identity: String { "reference \(ObjectIdentifier(runs))" }

    func makePlan(_ graph: Graph) throws -> any Plan { ReferencePlan(graph, runs) }
}

final class RunCounter: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    func count(_ inputs: [String: Tensor]) {
        counts.withLock { counts in for name in inputs.keys { counts[name, default: 0] += 1 } }
    }
    subscript(input: String) -> Int { counts.withLock { $0[input] ?? 0 } }
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

    func run(_ inputs: [String: Tensor], next: [String: Tensor], randomKey: UInt64) throws -> [Tensor] {
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
