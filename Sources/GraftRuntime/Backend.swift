import GraftGraph

/// What makes graphs ready to run; training knows of a machine no more than this.
///
/// A backend is a leaf: a target that depends on this room and on the library of its machine, and that makes itself known to
/// ``BackendRegistry``.
package protocol Backend: Sendable {
    /// What the numbers are computed in, part of the key of kept features: `float32` or `bfloat16`.
    var precision: String { get }
    /// How many threads of this process compute; 1 for a backend that computes elsewhere.
    var threads: Int { get }
    /// Two backends of the same identity make the same plans, so that a plan of one serves for the other.
    var identity: String { get }
    /// How many runs of a plan without updates are worth having go on at once.
    var concurrentRuns: Int { get }
    /// Makes a graph ready.
    func makePlan(_ graph: Graph) throws -> any Plan
    /// Makes a graph ready whose inputs of these names come with their rows packed.
    func makePlan(_ graph: Graph, packedInputs: Set<String>) throws -> any Plan
    /// Makes a graph ready of which ``concurrentRuns`` runs go on at once, each on its share of the machine.
    func makeConcurrentPlan(_ graph: Graph) throws -> any Plan
    /// Gives back the memory of plans that are gone.
    func releaseMemory()
}

extension Backend {
    package var threads: Int { 1 }
    package var concurrentRuns: Int { 1 }
    package func makeConcurrentPlan(_ graph: Graph) throws -> any Plan { try makePlan(graph) }
    package func makePlan(_ graph: Graph, packedInputs: Set<String>) throws -> any Plan { try makePlan(graph) }
    package func releaseMemory() {}
}

/// A graph made ready.
///
/// A plan without updates may be run from many threads at once; one with updates by one at a time.
package protocol Plan: AnyObject, Sendable {
    /// The inputs that it reads as packed rows; of others it makes plain arrays first, at each run.
    var packedInputs: Set<String> { get }
    /// Gives the graph's variables their values, by reference.
    func bind(_ values: [VariableID: Tensor]) throws
    /// Runs the graph once; updates change the plan's values of the variables, never another holder's. Where the first
    /// output of a graph with updates is not finite, no variable changes, and the other outputs mean nothing.
    ///
    /// - Parameter next: the next run's inputs where they are known, for work that can be done along with this run's.
    func run(_ inputs: [String: Tensor], next: [String: Tensor], randomKey: UInt64) throws -> [Tensor]
    /// A variable's value, shared.
    func value(of variable: VariableID) -> Tensor?
    /// Lets go of all variables, so that another plan may change their values in place.
    func unbind()
    /// Takes memory of former values, of the variables' shapes, for next values that cannot be written in place.
    func recycle(_ memory: [VariableID: Tensor])
}

extension Plan {
    package var packedInputs: Set<String> { [] }
    /// Runs the graph once, of which the next run's inputs are not known.
    package func run(_ inputs: [String: Tensor], randomKey: UInt64) throws -> [Tensor] {
        try run(inputs, next: [:], randomKey: randomKey)
    }
    /// Lets go of it.
    package func recycle(_ memory: [VariableID: Tensor]) {}
}
