import GraftCPU
import GraftGraph

/// Runs plans on the CPU.
struct CPUBackend: Backend {
    let options: CPUOptions
    var precision: String { options.precision.rawValue }

    /// As many as share the threads evenly, but no more than four, since each takes memory of its own: threads that run on
    /// their own need not wait for each other after each operation.
    var concurrentRuns: Int { (1...4).last { options.threads.isMultiple(of: $0) } ?? 1 }

    func makeConcurrentPlan(_ graph: Graph) throws -> any ExecutablePlan {
        var options = options
        options.concurrentRuns = concurrentRuns
        return try CPUBackend(options: options).makePlan(graph)
    }

    func releaseMemory() { CPUPlan.releaseMemory() }

    func makePlan(_ graph: Graph) throws -> any ExecutablePlan { try makePlan(graph, packedInputs: []) }

    func makePlan(_ graph: Graph, packedInputs: Set<String>) throws -> any ExecutablePlan {
        var options = options
        options.packedInputs = packedInputs
        options.guardsUpdates = !graph.updates.isEmpty
        return CPUExecutablePlan(try CPUPlan(graph, options: options))
    }
}

/// A CPU plan as training sees it.
private final class CPUExecutablePlan: ExecutablePlan {
    private let plan: CPUPlan

    init(_ plan: CPUPlan) { self.plan = plan }

    var packedInputs: Set<String> { plan.packedInputs }
    func bind(_ values: [VariableID: Tensor]) throws { try plan.bind(values) }
    func run(_ inputs: [String: Tensor], randomKey: UInt64) throws -> [Tensor] {
        try plan.run(inputs, randomKey: randomKey)
    }
    func run(_ inputs: [String: Tensor], next: [String: Tensor], randomKey: UInt64) throws -> [Tensor] {
        try plan.run(inputs, next: next, randomKey: randomKey)
    }
    func value(of variable: VariableID) -> Tensor? { plan.value(of: variable) }
    func unbind() { plan.unbind() }
    func recycle(_ memory: [VariableID: Tensor]) { plan.recycle(memory) }
}

extension TrainingOptions {
    /// What computes.
    ///
    /// - Throws: `GraftError` with code `argument` for a number of threads that is not at least 1, and for a precision that
    ///   the processor does not have.
    func makeBackend() throws -> any Backend {
        if let threads { try requirePositive(threads, "threads") }
        if let backend { return backend }
        var options = CPUOptions(threads: threads, precision: try precision.elementType)
        options.timeline = profiler?.timeline
        return CPUBackend(options: options)
    }
}
