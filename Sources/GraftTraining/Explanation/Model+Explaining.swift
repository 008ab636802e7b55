import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

extension Model {
    /// What the model says of all examples of some datasets, and what it knows of them: from kept features where there are some, or
    /// may be, as after a training on the same examples; else by the whole network.
    ///
    /// - Parameters:
    ///   - explainer: the whole network.
    ///   - progress: told how many of all are done.
    package func explain(
        _ datasets: [any Dataset], _ explainer: ModelExplainer, progress: ((_ done: Int) throws -> Void)? = nil
    ) throws -> [ExplainedExamples] {
        if let kept = try explainKept(datasets, explainer, progress) { return kept }
        var (results, before) = ([ExplainedExamples](), 0)
        for dataset in datasets {
            let start = before
            results.append(try explainer.explain(dataset, Array(0..<dataset.count)) { try progress?(start + $0) })
            before += dataset.count
        }
        return results
    }

    /// The same from kept features; `nil` where the model keeps none, and where its rest does not know the same of an example as
    /// the whole network, which is looked at for the first examples.
    private func explainKept(
        _ datasets: [any Dataset], _ explainer: ModelExplainer, _ progress: ((_ done: Int) throws -> Void)?
    ) throws -> [ExplainedExamples]? {
        let options = explainer.options
        guard options.features.outlivesRun, !explainer.isOfNamedLayer, !trainableVariables.isEmpty,
            let first = datasets.first, first.count > 0
        else {
            return nil
        }
        let trained = try TrainedModel(self, mayKeepTrunk: true)
        guard trained.keepsTrunk else { return nil }
        let parts = try trained.parts(batchSize: Trunk.batchSize, training: false)
        let rest = try ModelExplainer(self, parts, layer: nil, batchSize: Trunk.batchSize, options: options)
        guard rest.featureCount == explainer.featureCount else { return nil }
        let trunk = try Trunk(parts, backend: options.makeBackend())
        let pass = FeaturePass(
            cache: options.features,
            emit: { event in if case .computed(let done) = event { try progress?(done.done) } },
            checkCancellation: options.checkCancellation)
        let fingerprints = pass.fingerprints(of: datasets.map { ($0, 1) })
        let outcomes = try pass.run(datasets.map { FeaturePass.Request(dataset: $0, trunk: trunk) }, fingerprints)
        var results: [ExplainedExamples] = []
        for (dataset, outcome) in zip(datasets, outcomes) {
            let unread = Set(outcome.failures.map(\.index))
            let readable = (0..<dataset.count).filter { !unread.contains($0) }
            var result = try rest.explain(outcome.source, readable)
            result.failures += outcome.failures
            results.append(result)
        }
        let sample = try explainer.explain(first, Array(results[0].indices.prefix(explainer.batchSize)))
        return results[0].agrees(with: sample) ? results : nil
    }
}

extension ExplainedExamples {
    /// Whether the first examples of both are known alike, but for the order of sums.
    fileprivate func agrees(with sample: ExplainedExamples) -> Bool {
        guard indices.starts(with: sample.indices) else { return false }
        return sample.features.withUnsafeBuffer { wanted in
            features.withUnsafeBuffer { own in
                let largest = wanted.reduce(0) { max($0, abs($1)) }
                return zip(wanted, own).allSatisfy { abs($0 - $1) <= 1e-2 * largest }
            }
        }
    }
}
