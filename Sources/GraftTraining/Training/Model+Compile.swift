import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

extension Model {
    /// The outputs' names, in order: those of the layers that make them, as Keras's `output_names`; a second one of a name has
    /// `_1` after it.
    public var outputNames: [String] {
        var seen: [String: Int] = [:]
        return outputs.map { output in
            let name = output.layer.name
            let count = seen[name, default: 0]
            seen[name] = count + 1
            return count == 0 ? name : "\(name)_\(count)"
        }
    }

    /// Chooses how the model learns; forgets what an optimizer remembered before.
    ///
    /// Where the model has several outputs, each has this loss and these metrics, as if they were given by name.
    ///
    /// - Parameters:
    ///   - optimizer: how gradients become changes.
    ///   - loss: what is minimised.
    ///   - metrics: what is measured besides it.
    /// - Throws: `GraftError` with code `argument` for an argument of the optimizer out of its range or for two metrics
    ///   of one name, `state` while the model trains.
    public func compile(optimizer: any Optimizer, loss: Loss, metrics: [Metric] = []) throws(GraftError) {
        // A stack that is not built yet has one output.
        let names = outputs.isEmpty ? ["output"] : outputNames
        try compile(
            optimizer, Objective(names.map { (name: $0, loss: loss, weight: 1) }),
            names.enumerated().flatMap { place, name in Self.metrics(metrics, of: name, at: place, among: names.count) }
        )
    }

    /// Chooses how a model with several outputs learns: minimises `Σ wₒ · mean(lossₒ)` over the outputs that have a loss.
    ///
    /// The history has the sum under `loss`, each output's own mean under `<output>_loss` where there are several, and its
    /// metrics under `<output>_<metric>`. A dataset gives a target for each output, in the order of the outputs.
    ///
    /// - Parameters:
    ///   - optimizer: how gradients become changes.
    ///   - losses: an output's loss by the output's name (see ``outputNames``); an output without one is not trained on.
    ///   - lossWeights: what an output's loss is multiplied with; 1 where none is given.
    ///   - metrics: what is measured of each output.
    /// - Throws: `GraftError` with code `argument` for a name that is none of the outputs', a weight that is not finite, and
    ///   as ``compile(optimizer:loss:metrics:)``.
    public func compile(
        optimizer: any Optimizer, losses: [String: Loss], lossWeights: [String: Float] = [:],
        metrics: [String: [Metric]] = [:]
    ) throws(GraftError) {
        try checkOutputs(named: Array(losses.keys) + Array(lossWeights.keys), what: "a loss")
        if let (name, weight) = lossWeights.first(where: { !$0.value.isFinite }) {
            throw GraftError(.argument, "the weight of the loss of \(name) is \(weight); it must be a finite number")
        }
        guard !losses.isEmpty else {
            throw GraftError(
                .argument, "there is no loss; give one for at least one of \(outputNames.joined(separator: ", "))")
        }
        let objective = Objective(
            outputNames.map { (name: $0, loss: losses[$0], weight: lossWeights[$0] ?? 1) })
        try compile(optimizer: optimizer, objective: objective, metrics: metrics)
    }

    /// Chooses how the model learns, by an objective over all outputs and targets.
    ///
    /// - Parameters:
    ///   - optimizer: how gradients become changes.
    ///   - objective: what is minimised.
    ///   - metrics: what is measured of each output, by its name (see ``outputNames``).
    /// - Throws: `GraftError` with code `argument` as ``compile(optimizer:losses:lossWeights:metrics:)``, `state` for a model
    ///   that is not built yet.
    public func compile(
        optimizer: any Optimizer, objective: Objective, metrics: [String: [Metric]] = [:]
    ) throws(GraftError) {
        guard !outputs.isEmpty else {
            throw GraftError(
                .state, "the model's outputs are not known yet; build it, or give its first layer an input shape")
        }
        try checkOutputs(named: Array(metrics.keys), what: "a metric")
        let names = outputNames
        try compile(
            optimizer, objective,
            names.enumerated().flatMap { place, name in
                Self.metrics(metrics[name] ?? [], of: name, at: place, among: names.count)
            })
    }

    private func checkOutputs(named names: [String], what: String) throws(GraftError) {
        guard let unknown = names.sorted().first(where: { !outputNames.contains($0) }) else { return }
        throw GraftError(
            .argument,
            "\(what) is given for \(unknown), which is no output of the model; it has \(outputNames.joined(separator: ", "))"
        )
    }

    static func metrics(_ metrics: [Metric], of output: String, at place: Int, among count: Int) -> [OutputMetric] {
        metrics.map { OutputMetric(key: count > 1 ? "\(output)_\($0.name)" : $0.name, output: place, $0) }
    }

    private func compile(
        _ optimizer: any Optimizer, _ objective: Objective, _ metrics: [OutputMetric]
    ) throws(GraftError) {
        try optimizer.validate()
        let keys = ["loss"] + objective.termKeys + metrics.map(\.key)
        if let key = keys.first(where: { key in keys.count { $0 == key } > 1 }) {
            throw GraftError(.argument, "several figures are called \(key); give each metric a name of its own")
        }
        try TrainingState.of(self).compile(
            Compilation(optimizer: optimizer, objective: objective, metrics: metrics))
    }
}
