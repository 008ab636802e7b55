import Graft

/// A saved model with what it needs to say what a picture shows: its classes and its resize rule.
struct Classifier {
    /// What the model says of a picture.
    struct Prediction {
        let path: String
        /// The classes with their probabilities, the likeliest first.
        let ranked: [(name: String, probability: Double)]
    }

    let model: Model
    let classNames: [String]
    let rule: ImageRule
    private let machine: MachineOptions

    /// - Throws: `GraftError` where the file is no model, or one that is no classifier of pictures.
    init(path: String, machine: MachineOptions) throws {
        model = try Model.load(path)
        rule = try Self.rule(of: model, path)
        let outputs = try Self.outputCount(of: model, path)
        let names = model.metadata.classNames ?? (0..<max(outputs, 2)).map(ModelMetadata.nameOfClass)
        guard names.count == (outputs == 1 ? 2 : outputs) else {
            throw GraftError(
                .format, "\(path) names \(names.count) classes, but the model has \(outputs) outputs; it cannot be used"
            )
        }
        classNames = names
        self.machine = machine
    }

    /// Predicts the pictures a batch at a time and hands over each result in order.
    func predict(
        _ paths: [String], profiler: Profiler? = nil, each: (Result<Prediction, ExampleFailure>) -> Void
    ) throws {
        let files = try ImageFiles(paths: paths, rule: rule, threads: machine.threads)
        try model.forEachPrediction(of: files, options: machine.trainingOptions(profiler: profiler)) { part in
            var results: [Int: Result<Prediction, ExampleFailure>] = [:]
            for failure in part.failures { results[failure.index] = .failure(failure) }
            for (row, index) in part.indices.enumerated() {
                let width = part.outputs[0].shape.last
                let outputs = part.outputs[0].withUnsafeBuffer { Array($0[row * width..<(row + 1) * width]) }
                results[index] = .success(Prediction(path: paths[index], ranked: ranked(outputs)))
            }
            for (_, result) in results.sorted(by: { $0.key < $1.key }) { each(result) }
        }
    }

    private func ranked(_ outputs: [Float]) -> [(name: String, probability: Double)] {
        let probabilities =
            outputs.count == 1 ? [1 - Double(outputs[0]), Double(outputs[0])] : outputs.map(Double.init)
        return zip(classNames, probabilities).map { (name: $0, probability: $1) }
            .sorted { $0.probability > $1.probability }
    }

    /// The rule in the model, or what follows from its input where Keras wrote it.
    static func rule(of model: Model, _ path: String) throws -> ImageRule {
        if let rule = model.metadata.image { return rule }
        guard let input = model.inputs.first, model.inputs.count == 1, input.shape.rank == 3,
            [1, 3].contains(input.shape[2])
        else { throw GraftError(.format, "\(path): the model does not take pictures; its inputs are \(model.inputs)") }
        return ImageRule(height: input.shape[0], width: input.shape[1], channels: input.shape[2])
    }

    private static func outputCount(of model: Model, _ path: String) throws -> Int {
        guard let output = model.outputs.first, model.outputs.count == 1, output.shape.rank == 1 else {
            throw GraftError(.format, "\(path): the model is no classifier; its outputs are \(model.outputs)")
        }
        return output.shape[0]
    }
}
