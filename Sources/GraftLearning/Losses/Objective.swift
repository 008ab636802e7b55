import GraftGraph

/// What training minimises: `Σ wₜ · mean(lossₜ)` over its terms, each a number for every example that may be computed from all
/// of a model's outputs and targets.
///
/// A ``Loss`` is an objective of one term. A model with several outputs has a term for each, named after the output:
///
///     try model.compile(optimizer: Adam(), losses: ["class": .categoricalCrossentropy, "box": .huber], lossWeights: ["box": 0.5])
///
/// and one that compares outputs with each other, or weighs some against others by what they hold, is a formula of your own:
/// ``init(_:terms:targets:_:)``.
///
/// Source of the rules for several losses: keras/src/trainers/compile_utils.py, `CompileLoss`, version 3.15.
public struct Objective: Sendable {
    /// For each term a value of shape [batch], from a model's outputs and the targets, all with the batch as axis 0.
    public typealias Formula =
        @Sendable (_ outputs: [GraphValue], _ targets: [GraphValue]) throws -> [GraphValue]

    /// A part of the objective.
    public struct Term: Sendable, Hashable {
        /// What its mean is called in the history, `<name>_loss`, where there are several.
        public let name: String
        /// What it is multiplied with in the sum.
        public let weight: Float

        /// A term of this name and weight.
        public init(_ name: String, weight: Float = 1) { (self.name, self.weight) = (name, weight) }
    }

    /// Its name in messages and in checkpoints: `binary_crossentropy`.
    public let name: String
    /// The parts, in the order in which the formula gives them.
    public let terms: [Term]
    /// The loss of each of a model's outputs, where the objective is made of such; `nil` for an output without one.
    package let losses: [Loss?]
    private let formula: Formula

    /// An objective of your own.
    ///
    /// - Parameters:
    ///   - name: its name in messages and in checkpoints.
    ///   - terms: its parts; one or more.
    ///   - formula: a value of shape [batch] for each term. Targets are not checked against any rule before.
    public init(_ name: String, terms: [Term], _ formula: @escaping Formula) {
        (self.name, self.terms, self.formula, losses) = (name, terms, formula, [])
    }

    /// A loss for each output, by the output's place; `nil` for an output that is not trained on.
    ///
    /// - Parameter outputs: the outputs' names, with the loss and weight of each.
    package init(_ outputs: [(name: String, loss: Loss?, weight: Float)]) {
        losses = outputs.map(\.loss)
        let trained = outputs.enumerated().compactMap { place, output in
            output.loss.map { (place: place, loss: $0, term: Term(output.name, weight: output.weight)) }
        }
        terms = trained.map(\.term)
        name =
            trained.count == 1 && trained[0].term.weight == 1
            ? trained[0].loss.name
            : trained.map { "\($0.term.name): \($0.loss.name) × \($0.term.weight)" }.joined(separator: ", ")
        formula = { outputs, targets in
            try trained.map { try $0.loss.perExample(outputs[$0.place], targets[$0.place]) }
        }
    }

    /// The keys of the terms' means in a history: none where there is one term, which is the loss itself.
    package var termKeys: [String] { terms.count > 1 ? terms.map { "\($0.name)_loss" } : [] }

    /// Adds each term of each example to the graph.
    ///
    /// - Returns: for each term a value of shape [batch].
    /// - Throws: `GraftError` with code `shape` where the formula gives anything else.
    package func perExample(_ outputs: [GraphValue], _ targets: [GraphValue]) throws -> [GraphValue] {
        let values = try formula(outputs, targets)
        let batch = outputs.first?.shape[0] ?? 0
        guard values.count == terms.count, values.allSatisfy({ $0.shape == [batch] }) else {
            let shapes = values.map { "\($0.shape)" }.joined(separator: ", ")
            throw GraftError(
                .shape,
                "the objective \(name) gave \(values.count) values of the shapes \(shapes); its \(terms.count) terms need one "
                    + "of the shape (\(batch)) each")
        }
        return values
    }

    /// `Σ wₜ · xₜ`
    package func sum(_ values: [GraphValue]) throws -> GraphValue {
        var sum: GraphValue?
        for (term, value) in zip(terms, values) {
            let part = term.weight == 1 ? value : try term.weight * value
            sum = try sum.map { try $0 + part } ?? part
        }
        guard let sum else { throw GraftError(.argument, "the objective \(name) has no terms; give one or more") }
        return sum
    }
}
