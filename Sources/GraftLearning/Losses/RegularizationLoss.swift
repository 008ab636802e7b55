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
            for term in try variable.regularizer?.terms(of: value) ?? [] { sum = try sum.map { try $0 + term } ?? term }
        }
        return sum
    }
}

extension Regularizer {
    /// `l1 · Σ |w|` and `l2 · Σ w²`, those that are not zero.
    fileprivate func terms(of value: GraphValue) throws -> [GraphValue] {
        var terms: [GraphValue] = []
        if l1 != 0 { terms.append(try l1 * value.unary(.absolute).reduced(.sum)) }
        if l2 != 0 { terms.append(try l2 * value.squared().reduced(.sum)) }
        return terms
    }
}
