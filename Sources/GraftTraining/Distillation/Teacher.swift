import GraftData
import GraftGraph
import GraftModel

/// A network that a student learns from, and what of it the student learns.
public struct Teacher: Sendable {
    /// What the student is asked for, and how far its answer is from the teacher's.
    public enum Lesson: Sendable, Hashable {
        /// The teacher's features, which the student gives through a linear map that is learned along and left behind:
        ///
        ///     cosine · (1 − p·t / (‖p‖ ‖t‖)) + squaredError · mean (p − t)²
        ///
        /// where p is the student's answer and t the teacher's. With features that are standardized (see
        /// ``Teacher/features(of:standardizedOn:count:lesson:input:batchSize:options:)``) the mean squared error is the
        /// share of their variance that the student does not explain yet.
        case features(cosine: Float = 1, squaredError: Float = 1)
        /// The teacher's class probabilities, softened by a temperature T; its output are logits l, and so is the student's
        /// answer s:
        ///
        ///     weight · T² · KL(softmax(l / T) ‖ softmax(s / T))
        ///
        /// The factor T² keeps the gradient's size whatever T is. Source: G. Hinton et al., arXiv:1503.02531.
        case logits(temperature: Float = 1, weight: Float = 1)
    }

    /// The network; its one output is a vector.
    public let model: Model
    /// What the student learns of it.
    public let lesson: Lesson
    /// Which of an example's inputs it sees; 0 is the student's own.
    public let input: Int

    /// A teacher.
    ///
    /// - Parameters:
    ///   - model: a network with one input and one output; of features with places (height, width, channels) the mean over
    ///     the places is taught.
    ///   - lesson: what the student learns of it.
    ///   - input: which of an example's inputs it sees; 0 is the student's own.
    /// - Throws: `GraftError` with code `argument` where the model has several inputs or outputs, or a weight or temperature
    ///   is not positive.
    public init(_ model: Model, lesson: Lesson = .features(), input: Int = 0) throws(GraftError) {
        guard model.inputs.count == 1, let output = model.outputs.first, model.outputs.count == 1 else {
            throw GraftError(
                .argument,
                "the teacher \(model.name) has \(model.inputs.count) inputs and \(model.outputs.count) outputs; a teacher "
                    + "has one of each")
        }
        try lesson.validate()
        switch output.shape.rank {
        case 1: self.model = model
        case 3:
            let pooled = try GlobalAveragePooling2D()(output)
            self.model = try Model(inputs: model.inputs, outputs: [pooled], name: model.name)
        default:
            throw GraftError(
                .argument,
                "the teacher \(model.name) gives \(output.shape) for an example; a teacher gives a vector, or a map of "
                    + "(height, width, channels)")
        }
        (self.lesson, self.input) = (lesson, input)
    }

    /// How many numbers it gives for an example.
    var width: Int { model.outputs.first?.shape.last ?? 0 }
}

extension Teacher.Lesson {
    /// - Throws: `GraftError` with code `argument` that names what is out of its range.
    func validate() throws(GraftError) {
        let anyWeight: ClosedRange<Float> = 0...(.infinity)
        let positive: ClosedRange<Float> = Float.leastNonzeroMagnitude...(.infinity)
        switch self {
        case .features(let cosine, let squaredError):
            try requireArgument("the weight of the cosine", cosine, in: anyWeight, of: "a lesson")
            try requireArgument("the weight of the squared error", squaredError, in: anyWeight, of: "a lesson")
            try requireArgument("the sum of both weights", cosine + squaredError, in: positive, of: "a lesson")
        case .logits(let temperature, let weight):
            try requireArgument("the temperature", temperature, in: positive, of: "a lesson")
            try requireArgument("the weight", weight, in: positive, of: "a lesson")
        }
    }

    /// One number an example: how far answers are from the teacher's.
    func losses(_ answers: GraphValue, _ targets: GraphValue) throws -> GraphValue {
        switch self {
        case .features(let cosine, let squaredError):
            let parts = [
                cosine > 0 ? try cosine * cosineDistance(answers, targets) : nil,
                squaredError > 0 ? try squaredError * (answers - targets).squared().reduced(.mean, axes: [-1]) : nil,
            ].compactMap(\.self)
            return try parts.dropFirst().reduce(parts[0]) { try $0 + $1 }
        case .logits(let temperature, let weight):
            let (student, teacher) = (
                try (answers / temperature).logSoftmax(), try (targets / temperature).logSoftmax()
            )
            let divergence = try (teacher.unary(.exponential) * (teacher - student)).reduced(.sum, axes: [-1])
            return try (weight * temperature * temperature) * divergence
        }
    }

    /// `1 − a·b / √(max(‖a‖², ε) · max(‖b‖², ε))`, as Keras's `cosine_similarity` guards it, ε = 1e-12.
    private func cosineDistance(_ a: GraphValue, _ b: GraphValue) throws -> GraphValue {
        let product = try (a * b).reduced(.sum, axes: [-1])
        let norms = try [a, b].map { try $0.squared().reduced(.sum, axes: [-1]).binary(.maximum, 1e-12).squareRoot() }
        return try 1 - product / (norms[0] * norms[1])
    }
}

extension Teacher {
    /// How many examples it sees at once: a batch in equal parts of at most 16, for which memory near the processor is large
    /// enough. So an example's answer comes from the same plan whatever else is asked with it.
    private static func rowsAtOnce(batchSize: Int) -> Int {
        let parts = max((batchSize + 15) / 16, 1)
        return max((batchSize + parts - 1) / parts, 1)
    }

    /// What it says of a batch, a row an example.
    func answers(to inputs: [Tensor], batchSize: Int, _ options: TrainingOptions) throws -> Tensor {
        guard inputs.indices.contains(input) else {
            throw GraftError(
                .data, "the teacher \(model.name) sees input \(input) of an example, and examples have \(inputs.count)")
        }
        let (seen, rows) = (inputs[input], Self.rowsAtOnce(batchSize: batchSize))
        let count = seen.shape.dimensions.first ?? 0
        let parts = try stride(from: 0, to: count, by: rows).map { start in
            let part = count <= rows ? seen : seen.rows(Array(start..<min(start + rows, count)))
            return try Predictor.of(model).run(model, [part], batchSize: rows, options: options)[0]
        }
        return Tensor.stacking(parts)
    }
}

extension Tensor {
    /// Matrices of one width below one another.
    fileprivate static func stacking(_ matrices: [Tensor]) -> Tensor {
        guard matrices.count > 1 else { return matrices[0] }
        let (rows, width) = (matrices.reduce(0) { $0 + $1.shape[0] }, matrices[0].shape.last)
        return Tensor(uninitialized: [rows, width]) { target in
            var start = 0
            for matrix in matrices {
                matrix.withUnsafeBuffer { _ = target[start..<(start + $0.count)].initialize(from: $0) }
                start += matrix.count
            }
        }
    }
}
