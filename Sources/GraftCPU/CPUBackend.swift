internal import CKernels
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

    package var capabilities: BackendCapabilities {
        let (precision, threads) = (options.precision.rawValue, options.threads)
        let timeline = options.timeline.map { " \(ObjectIdentifier($0))" } ?? ""
        return BackendCapabilities(
            identity: "cpu \(precision) \(threads) \(options.memoryLimit) \(options.guardsMemory)\(timeline)"
                + options.disabledFastPaths.sorted().map { " -\($0)" }.joined(),
            precision: precision, threads: threads, concurrentRuns: concurrentRuns)
    }

    /// As many as share the threads evenly, but no more than four, since each takes memory of its own: threads that run on
    /// their own need not wait for each other after each operation.
    private var concurrentRuns: Int {
        guard !options.disabledFastPaths.contains(FastPath.concurrentRuns.name) else { return 1 }
        return (1...4).last { options.threads.isMultiple(of: $0) } ?? 1
    }

    package func compile(_ graph: Graph, _ wanted: PlanOptions) throws -> any Plan {
        let updates = !graph.updates.isEmpty
        // Memory of the plans before, a trunk's for instance, will do for this one.
        if updates { graft_release_memory() }
        var options = options
        (options.bitmapInputs, options.skipsNonFiniteUpdates) = (wanted.bitmapInputs, updates)
        if wanted.isConcurrent { options.concurrentRuns = concurrentRuns }
        return try CPUPlan(graph, options: options)
    }
}

extension CPUPlan: Plan {}

/// Called by `CRegistration` before `main` begins.
@_cdecl("graft_register_cpu")
func registerCPU() {
    BackendRegistry.register(
        BackendDescription(name: "cpu", hasBFloat16: { CPUOptions.supportsBFloat16 }) { try CPUBackend($0) })
}
