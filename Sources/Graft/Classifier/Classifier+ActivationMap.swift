import GraftData
import GraftGraph
import GraftImages
import GraftTraining

/// Where a network looked for a class: a gradient-weighted class activation map (Grad-CAM).
public struct ActivationMap: Sendable {
    /// The image.
    public let name: String
    /// The class that was asked about.
    public let className: String
    /// (height, width) of the layer's map, 0 and more; larger numbers spoke for the class.
    public let values: Tensor
}

extension Classifier {
    /// Where the network looked in some images, for the class that it names: `relu(Σ_c w_c · A_c)`, where `A` is the output of a
    /// layer and `w_c` the mean over positions of the gradient of the class's score, before softmax or sigmoid, by `A_c`.
    ///
    /// Source: Selvaraju et al., "Grad-CAM", arXiv:1610.02391.
    ///
    /// - Parameters:
    ///   - paths: the images.
    ///   - layer: whose map is meant; the last one with several positions where `nil`.
    ///   - body: called with each answer in order; what it throws ends the work.
    /// - Throws: `GraftError` with code `argument` for a layer without a map, and `format` where the model has no map, or no
    ///   classes.
    public func forEachActivationMap(
        contentsOf paths: [String], layer: String? = nil,
        _ body: (Result<ActivationMap, ExampleFailure>) throws -> Void
    ) throws {
        guard outputs.areProbabilities else {
            throw GraftError(.format, "\(name) gives no probabilities of classes, of which a map could be drawn")
        }
        let explainer = try ModelExplainer(model, layer: layer, options: options)
        guard explainer.hasActivationMaps else {
            throw GraftError(
                .format,
                "\(name) has no layer with several positions (rows and columns), which a class activation map is made of"
            )
        }
        let images = try ImageFiles(paths: paths, rule: rule, threads: options.threads)
        for start in stride(from: 0, to: paths.count, by: explainer.batchSize) {
            try options.cancellation.map { if $0.isCancelled { throw GraftError(.cancelled, "stopped as asked") } }
            let batch = try images.batch(Array(start..<min(start + explainer.batchSize, paths.count)))
            var results = batch.failures.map { ($0.index, Result<ActivationMap, ExampleFailure>.failure($0)) }
            results += try maps(batch, explainer, paths)
            for (_, result) in results.sorted(by: { $0.0 < $1.0 }) { try body(result) }
        }
    }

    func maps(
        _ batch: Batch, _ explainer: ModelExplainer, _ paths: [String]
    ) throws -> [(Int, Result<ActivationMap, ExampleFailure>)] {
        guard !batch.indices.isEmpty else { return [] }
        let answers = try explainer.run(batch.inputs).outputs
        let width = answers.shape.last
        let classes = answers.withUnsafeBuffer { values in
            batch.indices.indices.map { row in
                let own = values[(row * width)..<((row + 1) * width)]
                return width == 1
                    ? (own[own.startIndex] > 0.5 ? 1 : 0)
                    : own.indices.max { own[$0] < own[$1] }.map { $0 - own.startIndex } ?? 0
            }
        }
        guard let maps = try explainer.activationMaps(batch.inputs, classes: classes) else { return [] }
        let shape = Shape(Array(maps.shape.dimensions.dropFirst()))
        return batch.indices.enumerated().map { row, index in
            let map = ActivationMap(
                name: paths[index], className: classNames[classes[row]],
                values: Tensor(maps.rows([row]).withUnsafeBuffer { Array($0) }, shape: shape))
            return (index, .success(map))
        }
    }
}
