import GraftGraph
import GraftModel

extension GraphScope {
    /// The regularization loss of trainable variables: a scalar; `nil` where there is none.
    ///
    /// - Parameters:
    ///   - variables: `VariableID(i)` is `variables[i]` in the graph.
    ///   - trainable: those that count; frozen ones add nothing, as in Keras.
    package func regularizationLoss(of variables: [Variable], _ trainable: Set<Variable>) throws -> GraphValue? {
        var sum: GraphValue?
        for (index, variable) in variables.enumerated()
        where variable.regularizer != nil && trainable.contains(variable) {
            let value = try self.variable(VariableID(index), variable.shape)
            guard let term = try variable.regularizer?.lower(value.id, in: &graph) else { continue }
            sum = try sum.map { try $0 + self[term] } ?? self[term]
        }
        return sum
    }
}
