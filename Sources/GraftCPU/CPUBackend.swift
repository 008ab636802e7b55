import GraftRuntime

/// Runs plans on the CPU.
package struct CPUBackend: Backend {
    package let options: CPUOptions

    /// A backend whose plans run so.
    package init(options: CPUOptions) { self.options = options }

    /// A backend with these settings.
    ///
    /// - Throws: `GraftError` with code `argument` for a precision that the processor does not have.
    package init(_ settings: BackendSettings) throws(GraftError) {
        var options = CPUOptions(threads: settings.threads, precision: try settings.precision.elementType)
        options.timeline = settings.timeline
        self.options = options
    }

    package var precision: String { options.precision.rawValue }
    package var threads: Int { options.threads }
    package var identity: String {
        let timeline = options.timeline.map { " \(ObjectIdentifier($0))" } ?? ""
        return "cpu \(precision) \(threads) \(options.memoryLimit) \(options.guardsMemory)\(timeline)"
    }

    /// As many as share the threads evenly, but no more than four, since each takes memory of its own: threads that run on
    /// their own need not wait for each other after each operation.
    package var concurrentRuns: Int { (1...4).last { options.threads.isMultiple(of: $0) } ?? 1 }

    package func makePlan(_ graph: Graph) throws -> any Plan { try makePlan(graph, packedInputs: []) }

    package func makePlan(_ graph: Graph, packedInputs: Set<String>) throws -> any Plan {
        var options = options
        options.packedInputs = packedInputs
        options.guardsUpdates = !graph.updates.isEmpty
        return try CPUPlan(graph, options: options)
    }

    package func makeConcurrentPlan(_ graph: Graph) throws -> any Plan {
        var options = options
        options.concurrentRuns = concurrentRuns
        return try CPUBackend(options: options).makePlan(graph)
    }

    package func releaseMemory() { CPUPlan.releaseMemory() }
}

extension CPUPlan: Plan {}

/// Called by `CRegistration` before `main` begins.
@_cdecl("graft_register_cpu")
func registerCPU() {
    BackendRegistry.register(
        BackendDescription(name: "cpu", hasBFloat16: { CPUOptions.supportsBFloat16 }) { try CPUBackend($0) })
}
