/// A graph divided into what is computed once for given variables and what every run computes.
public struct PreparationSplit: Sendable {
    /// Reads variables and constants alone; its outputs are the prepared values, such as kernels with a frozen batch
    /// normalization folded in.
    public let preparation: Graph
    /// The rest: reads prepared value k as the input ``inputName(of:)``.
    public let run: Graph

    /// The name of the input of ``run`` that stands for output `position` of ``preparation``.
    public static func inputName(of position: Int) -> String { "prepared.\(position)" }
}

extension Graph {
    /// Splits off what depends on no input, on no random numbers and on no variable that changes: it needs to be
    /// computed only when the variables are set.
    ///
    /// What merely repeats or reshapes a variable is left where it is, as there is nothing to gain.
    ///
    /// - Parameter changing: variables whose values change between runs, beyond those that the graph itself updates.
    /// - Returns: the two graphs; the preparation has no outputs where there is nothing to prepare.
    public func splittingPreparation(changing: Set<VariableID> = []) throws(GraftError) -> PreparationSplit {
        let changing = changing.union(updates.map(\.variable))
        let varies = descends { $0.operation.isGivenByRun || $0.operation.reads(oneOf: changing) }
        let cut = GraphCut(graph: self, isFirst: varies.map { !$0 }) { operation in
            if case .broadcast = operation { true } else { operation.isReshape }
        }
        let crossing = cut.crossingValues().filter { !self[$0].operation.isLeaf }
        let (preparation, run) = try cut.split(at: crossing, inputPrefix: "prepared")
        return PreparationSplit(preparation: preparation, run: run)
    }
}

extension Operation {
    /// Whether it is one of these variables.
    func reads(oneOf variables: Set<VariableID>) -> Bool {
        if case .variable(let id, _) = self { variables.contains(id) } else { false }
    }
}
