import GraftData
import GraftGraph
import GraftImages
import GraftLearning
import GraftModel
import GraftTraining
import Synchronization

extension Classifier {
    /// Learns how sure the model's answers are, and what it was trained on; a saved model remembers it.
    ///
    /// - Parameters:
    ///   - validation: images that the model did not learn from, labelled as its classes are numbered; at most 1,000 of them are
    ///     looked at, and 256 where no features are kept, as each takes the whole network then.
    ///   - training: those that it learned from; at most 512 of them are looked at, or 256.
    ///   - progress: told how many images are done.
    /// - Returns: what was learned; `nil` for too few images (``ClassifierCalibration/leastCount``), and where the outputs are no
    ///   probabilities of classes that exclude each other. The model then remembers nothing.
    /// - Throws: `GraftError` with code `data` for images that do not fit, `cancelled`.
    @discardableResult
    public func calibrate(
        on validation: ImageDataset, training: ImageDataset, progress: ((_ done: Int) throws -> Void)? = nil
    ) throws -> ClassifierCalibration? {
        model.metadata.setCalibration(nil)
        guard outputs.areProbabilities, outputs.meaning != .labels,
            validation.count >= ClassifierCalibration.leastCount,
            let judged = try validation.spread(options.features.outlivesRun ? 1000 : 256),
            let known = try training.spread(options.features.outlivesRun ? 512 : 256)
        else { return nil }
        let explainer = try ModelExplainer(model, options: options)
        let explained = try model.explain([judged, known], explainer, progress: progress)
        var probabilities = ClassProbabilities(classCount: max(classNames.count, 2))
        for row in explained[0].outputs { probabilities.append(outputs: row) }
        let calibration = ClassifierCalibration(
            probabilities, labels: explained[0].indices.map { judged.labels[$0] }, features: explained[0].features,
            known: (explained[1].features, explained[1].indices.map { known.labels[$0] }))
        model.metadata.setCalibration(calibration)
        return calibration
    }

    /// Says what images show, and how sure that is.
    func forEachClassification(
        of images: any Dataset, _ calibration: ClassifierCalibration,
        _ body: (Result<Classification, ExampleFailure>) throws -> Void
    ) throws {
        let explainer = try explainers.explainer(of: model, batchSize: min(32, max(images.count, 1)), options: options)
        try explainer.forEachBatch(of: images, options: options) { part in
            var results = part.failures.map { ($0.index, Result<Classification, ExampleFailure>.failure($0)) }
            for (row, index) in part.indices.enumerated() {
                var answer = classification(part.outputs[row], of: images.name(of: index) ?? "")
                answer.assessment = calibration.assess(part.outputs[row], features: part.features.rows([row]))
                results.append((index, .success(answer)))
            }
            for (_, result) in results.sorted(by: { $0.0 < $1.0 }) { try body(result) }
        }
    }

    /// The classes that hold the right one at a rate, the likeliest first.
    ///
    /// - Parameter coverage: the rate, between 0 and 1, over images like those of validation.
    /// - Returns: `nil` for a model without ``calibration``.
    public func classes(of answer: Classification, coverage: Double) -> [String]? {
        guard let calibration else { return nil }
        let values = answer.outputs.count == 1 ? [1 - answer.outputs[0], answer.outputs[0]] : answer.outputs
        return calibration.sets.classes(of: values, coverage: coverage).map { classNames[$0] }
    }
}

/// The explainers of a classifier for a full and a single batch: each holds packed weights.
final class Explainers: Sendable {
    private let kept = Mutex<[ModelExplainer]>([])
    /// For maps of single images: its second plan, of gradients, is made at the first.
    private let single = Mutex<ModelExplainer?>(nil)

    /// The explainer of single images whose maps are asked for.
    func mapper(of model: Model, options: TrainingOptions) throws -> ModelExplainer {
        try single.withLock { single in
            if let known = single, known.serves(1, options) { return known }
            let new = try ModelExplainer(model, batchSize: 1, options: options)
            single = new
            return new
        }
    }

    func explainer(of model: Model, batchSize: Int, options: TrainingOptions) throws -> ModelExplainer {
        try kept.withLock { kept in
            if let known = kept.first(where: { $0.serves(batchSize, options) }) { return known }
            let new = try ModelExplainer(model, batchSize: batchSize, options: options)
            kept = kept.suffix(1) + [new]
            return new
        }
    }
}
