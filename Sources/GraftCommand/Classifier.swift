import Graft

/// A saved model with what it needs to say what an image shows: its classes, its resize rule, and what its outputs are.
struct Classifier {
    /// What the model says of an image.
    struct Prediction {
        let path: String
        /// The outputs as they are, but for an activation that makes probabilities of them.
        let outputs: [Double]
        /// The classes with their probabilities or scores, the largest first; empty where outputs stand for no classes.
        let ranked: [(name: String, value: Double)]
    }

    /// With the layer that makes probabilities of its outputs, where its file lacks it.
    let model: Model
    let outputs: ClassifierOutputs
    let rule: ImageRule
    private let machine: MachineOptions

    /// - Throws: `GraftError` where the file is no model of images, and where the options do not fit it.
    init(path: String, options: ModelOptions = ModelOptions(), machine: MachineOptions) throws {
        let loaded = try SavedModel.load(path, inputSize: options.inputSize)
        rule = try Self.rule(of: loaded, path)
        (model, outputs) = try ClassifierOutputs.settled(of: loaded, path, options)
        self.machine = machine
    }

    /// Predicts the images a batch at a time and hands over each result in order.
    func predict(
        _ paths: [String], profiler: Profiler? = nil, each: (Result<Prediction, ExampleFailure>) -> Void
    ) throws {
        let files = try ImageFiles(paths: paths, rule: rule, threads: machine.threads)
        try model.forEachPrediction(of: files, options: machine.trainingOptions(profiler: profiler)) { part in
            var results: [Int: Result<Prediction, ExampleFailure>] = [:]
            for failure in part.failures { results[failure.index] = .failure(failure) }
            let width = part.outputs[0].shape.elementCount / max(1, part.indices.count)
            for (row, index) in part.indices.enumerated() {
                let values = part.outputs[0].withUnsafeBuffer { $0[row * width..<(row + 1) * width].map(Double.init) }
                results[index] = .success(
                    Prediction(path: paths[index], outputs: values, ranked: outputs.ranked(values)))
            }
            for (_, result) in results.sorted(by: { $0.key < $1.key }) { each(result) }
        }
    }

    /// The rule in the model, or what follows from its input where Keras wrote it.
    static func rule(of model: Model, _ path: String) throws -> ImageRule {
        switch try model.metadata.inputRule {
        case .image(let rule): return rule
        case .tokens: throw GraftError(.format, "\(path): the model does not take images; its inputs are texts")
        case nil: break
        }
        guard let input = model.inputs.first, model.inputs.count == 1, input.shape.rank == 3,
            [1, 3].contains(input.shape[2])
        else { throw GraftError(.format, "\(path): the model does not take images; its inputs are \(model.inputs)") }
        return ImageRule(height: input.shape[0], width: input.shape[1], channels: input.shape[2])
    }
}
