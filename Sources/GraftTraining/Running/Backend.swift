import GraftGraph

/// What makes graphs ready to run; training knows of a machine no more than this.
package protocol Backend: Sendable {
    /// What the numbers are computed in, part of the key of kept features: `float32` or `bfloat16`.
    var precision: String { get }
    /// Makes a graph ready.
    func makePlan(_ graph: Graph) throws -> any ExecutablePlan
}

/// A graph made ready.
///
/// A plan without updates may be run from many threads at once; one with updates by one at a time.
package protocol ExecutablePlan: AnyObject, Sendable {
    /// Gives the graph's variables their values, by reference.
    func bind(_ values: [VariableID: Tensor]) throws
    /// Runs the graph once; updates change the plan's values of the variables, never another holder's. Where the first
    /// output of a graph with updates is not finite, no variable changes, and the other outputs mean nothing.
    func run(_ inputs: [String: Tensor], randomKey: UInt64) throws -> [Tensor]
    /// A variable's value, shared.
    func value(of variable: VariableID) -> Tensor?
    /// Lets go of all variables, so that another plan may change their values in place.
    func unbind()
}
