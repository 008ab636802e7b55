import GraftGraph

/// What makes graphs ready to run; training knows of a machine no more than this.
///
/// A backend is a leaf: a target that depends on this room and on the library of its machine, and that makes itself known to
/// ``BackendRegistry``.
package protocol Backend: Sendable {
    /// What it is and what it can do.
    var capabilities: BackendCapabilities { get }
    /// Makes a graph ready.
    func compile(_ graph: Graph, _ options: PlanOptions) throws -> any Plan
}

extension Backend {
    /// Makes a graph ready, with nothing known of how it will be run.
    package func compile(_ graph: Graph) throws -> any Plan { try compile(graph, PlanOptions()) }
}

/// What a backend is and what it can do.
package struct BackendCapabilities: Sendable, Hashable {
    /// Two backends of the same identity make the same plans, so that a plan of one serves for the other.
    package var identity: String
    /// What it computes in, part of the key of kept features: `float32` or `bfloat16`.
    package var precision: String
    /// How many threads of this process compute; 1 for a backend that computes elsewhere.
    package var threads: Int
    /// How many runs of a plan without updates are worth having at once.
    package var concurrentRuns: Int

    /// Capabilities with these values.
    package init(identity: String, precision: String = "float32", threads: Int = 1, concurrentRuns: Int = 1) {
        (self.identity, self.precision) = (identity, precision)
        (self.threads, self.concurrentRuns) = (threads, concurrentRuns)
    }
}

/// What is known beforehand of how a plan will be run. Hints: results do not depend on them.
package struct PlanOptions: Sendable, Hashable {
    /// The inputs that mostly come as rows compressed by a bitmap.
    package var bitmapInputs: Set<String>
    /// Whether ``BackendCapabilities/concurrentRuns`` runs are active at once, each on its share of the machine.
    package var isConcurrent: Bool

    /// Options with these values.
    package init(bitmapInputs: Set<String> = [], isConcurrent: Bool = false) {
        (self.bitmapInputs, self.isConcurrent) = (bitmapInputs, isConcurrent)
    }
}

/// A batch in the form that one plan reads: only that plan knows what is in it. May be made by one thread and run by another,
/// and run more than once.
package protocol Feed: AnyObject, Sendable {
    /// The bytes of host memory that it holds.
    var byteCount: Int { get }
}

/// A graph made ready.
///
/// A plan without updates may be run from many threads at once; one with updates by one at a time. ``feed(_:)`` may be called
/// from any thread at any time.
package protocol Plan: AnyObject, Sendable {
    /// Gives the graph's variables their values, by reference.
    func bind(_ values: [VariableID: Tensor]) throws
    /// Brings inputs into the form that the plan reads: a CPU arranges compressed rows, an accelerator copies to its memory.
    ///
    /// - Parameter inputs: by name; those of the graph that are missing here are given at each run, as scalars. One stored as
    ///   another type than the graph's input becomes that, as `Tensor.stored(as:)` says.
    /// - Throws: `GraftError` with code `shape` for an input of another shape than the graph's.
    func feed(_ inputs: [String: HostArray]) throws -> any Feed
    /// Runs the graph once; updates change the plan's values of the variables, never another holder's. Where the first
    /// output of a graph with updates is not finite, no variable changes, and the other outputs mean nothing.
    ///
    /// - Parameters:
    ///   - feed: what this plan made of a batch.
    ///   - scalars: inputs of rank 0 that are not in the feed.
    ///   - next: the next run's feed where it is known, for work that can be done along with this run's; one of another plan
    ///     is not looked at.
    /// - Throws: `GraftError` with code `argument` for a feed of another plan, and where an input is missing.
    func run(_ feed: any Feed, scalars: [String: Float], next: (any Feed)?, randomKey: UInt64) throws -> [Tensor]
    /// A variable's value, shared.
    func value(of variable: VariableID) -> Tensor?
    /// Lets go of all variables, so that another plan may change their values in place.
    func unbind()
}

extension Plan {
    /// Runs the graph once on dense inputs.
    package func run(_ inputs: [String: Tensor], randomKey: UInt64 = 0) throws -> [Tensor] {
        try run(feed(inputs.mapValues { .dense($0) }), scalars: [:], next: nil, randomKey: randomKey)
    }
}
