import GraftGraph
import GraftLearning

/// A metric over batches, as a run measures it.
struct MeasuredMetric {
    private let measures: Measures
    private var figures: RunningMetrics

    init(_ metric: Metric) {
        let nothing = Objective("nothing", terms: [.init("nothing")]) { outputs, _ in outputs }
        measures = Measures(nothing, [OutputMetric(key: "measured", output: 0, metric)])
        figures = RunningMetrics(measures)
    }

    /// Adds a batch, on the interpreter.
    mutating func add(_ predictions: Tensor, _ targets: Tensor) throws {
        let scope = GraphScope()
        let values = try measures.values(
            terms: [], outputs: [scope.constant(predictions)], targets: [scope.constant(targets)])
        scope.graph.outputs = ([try scope.constant(Tensor(0))] + values).map(\.id)
        let outputs = try Interpreter.run(scope.graph).outputs.map(\.tensor)
        figures.add(outputs, targets: [targets], examples: predictions.shape[0])
    }

    /// The figure so far.
    var value: Double { figures.values["measured"] ?? .nan }

    /// The figure of one batch.
    static func value(_ metric: Metric, _ predictions: Tensor, _ targets: Tensor) throws -> Double {
        var measured = MeasuredMetric(metric)
        try measured.add(predictions, targets)
        return measured.value
    }
}
