import GraftFeatures
import GraftGraph
import GraftModel
import GraftRuntime
import Synchronization

/// A plan with the values of a model's variables, brought up to date where a variable has another value than the plan was given.
final class BoundPlan: Sendable {
    let plan: any Plan
    private let parts: ModelParts
    private let values: Mutex<[VariableID: Tensor]>

    /// Makes a graph of a model's parts ready.
    init(_ graph: Graph, of parts: ModelParts, options: TrainingOptions) throws {
        plan = try options.makeBackend().compile(graph)
        let values = parts.values(readBy: graph)
        try plan.bind(values)
        self.parts = parts
        self.values = Mutex(values)
    }

    /// Binds again where a variable's value is another one. A value that the plan holds cannot change in place, since
    /// a writer copies shared memory first; so the same memory means the same numbers.
    func refresh() throws {
        try values.withLock { values in
            let current = Dictionary(uniqueKeysWithValues: values.keys.map { ($0, parts.variables[$0.rawValue].value) })
            guard current.contains(where: { $0.value.address != values[$0.key]?.address }) else { return }
            try plan.bind(current)
            values = current
        }
    }

    /// Runs the plan with the values that the variables have now.
    func run(_ inputs: [String: Tensor]) throws -> [Tensor] {
        try refresh()
        return try plan.run(inputs)
    }
}

extension Tensor {
    /// Where the elements are; of two tensors that are both alive, equal for those that share their memory.
    fileprivate var address: UnsafePointer<Float>? { withUnsafeBuffer { $0.baseAddress } }
}
