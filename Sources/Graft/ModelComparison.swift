import GraftData
import GraftGraph
import GraftImages
import GraftModel
import GraftTraining

/// How far the outputs of two models are apart on the same inputs: what an export is proved by.
public struct ModelComparison: Sendable, Hashable {
    /// How many examples were compared.
    public private(set) var exampleCount = 0
    /// Of how many both gave the same class the most; of one output, whether it is above a half.
    public private(set) var sameClassCount = 0
    /// The largest difference between two outputs, over the largest magnitude of the first model's: ``difference``.
    private var largestDifference = 0.0
    private var largestMagnitude = 0.0

    /// The largest difference between two outputs, over the largest magnitude of the first model's outputs. Not a number where one
    /// model gives such and the other does not.
    public var difference: Double {
        largestMagnitude > 0 ? largestDifference / largestMagnitude : largestDifference
    }

    /// What differences of an export come to at most: operators of float32 in another order.
    public static let tolerance = 1e-4
    private static let batchSize = 16

    /// Compares two models on images.
    ///
    /// - Parameters:
    ///   - model: what is expected.
    ///   - other: a model of the same inputs and outputs.
    ///   - images: what both are given; those that cannot be read take no part.
    /// - Throws: `GraftError` with code `shape` where the models do not have the same inputs and outputs, `data` where no image can be
    ///   read.
    public init(of model: Model, and other: Model, on images: ImageFiles, options: TrainingOptions = TrainingOptions())
        throws
    {
        try Self.check(model, other)
        for start in stride(from: 0, to: images.count, by: Self.batchSize) {
            let batch = try images.batch(Array(start..<min(start + Self.batchSize, images.count)))
            guard !batch.indices.isEmpty else { continue }
            try add(model.predict(batch.inputs, options: options), other.predict(batch.inputs, options: options))
        }
        guard exampleCount > 0 else { throw GraftError(.data, "none of the \(images.count) images can be read") }
    }

    /// Compares two models on random inputs: whole numbers 0 to 255 where an input is an image, −1 to 1 elsewhere.
    ///
    /// - Throws: `GraftError` with code `shape` where the models do not have the same inputs and outputs, `data` for inputs that are
    ///   not numbers of float32.
    public init(of model: Model, and other: Model, seed: UInt64 = 0, options: TrainingOptions = TrainingOptions())
        throws
    {
        try Self.check(model, other)
        guard model.inputs.allSatisfy({ $0.dtype == .float32 }) else {
            throw GraftError(.data, "inputs of \(model.inputs.map { "\($0.dtype)" }) cannot be made at random")
        }
        let count = 4
        let inputs = model.inputs.enumerated().map { number, input in
            let random = RandomStream(key: seed, stream: UInt64(number))
            let isImage = input.shape.rank == 3 && [1, 3, 4].contains(input.shape.last)
            let values = (0..<(count * input.shape.elementCount)).map { place -> Float in
                let uniform = random.uniform(at: place)
                return isImage ? (255 * uniform).rounded() : 2 * uniform - 1
            }
            return Tensor(values, shape: Shape([count] + input.shape.dimensions))
        }
        try add(model.predict(inputs, options: options), other.predict(inputs, options: options))
    }

    private static func check(_ model: Model, _ other: Model) throws(GraftError) {
        for (word, own, others) in [("inputs", model.inputs, other.inputs), ("outputs", model.outputs, other.outputs)]
        where own.map(\.shape) != others.map(\.shape) {
            throw GraftError(
                .shape,
                "the models' \(word) have the shapes \(own.map(\.shape)) and \(others.map(\.shape)): they cannot be compared"
            )
        }
    }

    private mutating func add(_ expected: [Tensor], _ received: [Tensor]) {
        exampleCount += expected.first?.shape[0] ?? 0
        for (expected, received) in zip(expected, received) {
            expected.withUnsafeBuffer { expected in
                received.withUnsafeBuffer { received in
                    for (a, b) in zip(expected, received) where a != b && !(a.isNaN && b.isNaN) {
                        let apart = Double(abs(a - b))
                        largestDifference = apart.isNaN ? .nan : max(largestDifference, apart)
                    }
                    for value in expected where value.isFinite {
                        largestMagnitude = max(largestMagnitude, Double(abs(value)))
                    }
                }
            }
        }
        guard let one = expected.first, let two = received.first else { return }
        sameClassCount += zip(Self.classes(of: one), Self.classes(of: two)).count { $0 == $1 }
    }

    private static func classes(of output: Tensor) -> [Int] {
        let (rows, width) = (output.shape[0], output.count / max(output.shape[0], 1))
        return output.withUnsafeBuffer { values in
            (0..<rows).map { row in
                let own = values[(row * width)..<((row + 1) * width)]
                guard width > 1 else { return own.first.map { $0 > 0.5 ? 1 : 0 } ?? 0 }
                return (own.indices.max { own[$0] < own[$1] } ?? own.startIndex) - own.startIndex
            }
        }
    }
}
