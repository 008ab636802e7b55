import GraftGraph
import GraftModel
import Synchronization

/// What `compile` chose and what training remembers between calls of `fit`; belongs to the model.
struct Compilation: Sendable {
    let optimizer: any Optimizer
    let objective: Objective
    let metrics: [OutputMetric]
    /// The learning rate that a callback set in place of the optimizer's.
    var chosenRate: Float?
    /// The optimizer's arrays of each variable that was trained so far, in the order of its slots; `nil` for one
    /// that a run has taken.
    var slots: [Variable: [Tensor?]] = [:]
    /// Steps since `compile`.
    var stepCount = 0
    /// Epochs since `compile`; makes a second `fit` shuffle otherwise than the first.
    var epochCount = 0

    init(optimizer: any Optimizer, objective: Objective, metrics: [OutputMetric] = []) {
        (self.optimizer, self.objective, self.metrics) = (optimizer, objective, metrics)
    }

    /// What a step measures.
    var measures: Measures { Measures(objective, metrics) }
}

/// Holds a model's compilation and lends it to one `fit` at a time.
final class TrainingState: Sendable {
    private let content = Mutex(Content())

    private struct Content {
        var compilation: Compilation?
        var isTraining = false
    }

    /// That of a model.
    static func of(_ model: Model) -> TrainingState { model.attachment { TrainingState() } }

    /// What was compiled, `nil` before.
    var compilation: Compilation? { content.withLock { $0.compilation } }

    /// Takes another compilation; what the one before remembered is gone.
    ///
    /// - Throws: `GraftError` with code `state` while the model trains.
    func compile(_ compilation: Compilation) throws(GraftError) {
        try content.withLock { content throws(GraftError) in
            guard !content.isTraining else {
                throw GraftError(.state, "the model cannot be compiled while it trains; wait until `fit` is done")
            }
            content.compilation = compilation
        }
    }

    /// Takes the compilation out for a run; the arrays in it then have no other holder, so that they change in place.
    ///
    /// - Throws: `GraftError` with code `state` before `compile` and while another run holds it.
    func begin() throws(GraftError) -> Compilation {
        try content.withLock { content throws(GraftError) in
            guard !content.isTraining else {
                throw GraftError(.state, "the model trains already; wait until the other `fit` is done")
            }
            guard let compilation = content.compilation else {
                throw GraftError(.state, "the model is not compiled; call compile(optimizer:loss:metrics:) first")
            }
            content.isTraining = true
            content.compilation?.slots = [:]
            return compilation
        }
    }

    /// Takes back what a run remembers.
    func end(_ compilation: Compilation) {
        content.withLock { $0 = Content(compilation: compilation) }
    }
}
