import Foundation
import GraftData
import GraftGraph
import GraftModel

extension Model {
    /// How far this model's outputs in bfloat16 are from those in float32 on a few examples: `‖b − f‖ / ‖f‖` over all numbers
    /// of all outputs.
    ///
    /// 0.01 to 0.03 is usual for networks of plain convolutions. Depthwise ones and narrow layers between them round more:
    /// MobileNetV2's published weights come to 0.13, and so they do in Keras's `mixed_bfloat16`.
    ///
    /// - Parameters:
    ///   - examples: where the examples come from, spread over all of it. Those that cannot be read are passed over.
    ///   - count: how many of them.
    ///   - options: threads.
    /// - Returns: the share; `nil` where no example can be read, or all outputs are zero.
    /// - Throws: `GraftError` with code `argument` where the processor has no bfloat16, `data` for examples that do not fit.
    public func costOfBFloat16(
        on examples: any Dataset, count: Int = 4, options: TrainingOptions = TrainingOptions()
    ) throws -> Double? {
        let count = min(count, examples.count)
        let batch = try examples.batch((0..<count).map { $0 * examples.count / count })
        guard !batch.indices.isEmpty else { return nil }
        func outputs(_ precision: Precision) throws -> [Tensor] {
            var options = options
            options.precision = precision
            return try predict(batch.inputs, options: options)
        }
        return try Tensor.distance(from: outputs(.float32), to: outputs(.bfloat16))
    }
}

extension Tensor {
    /// `‖b − a‖ / ‖a‖` over all numbers of several tensors; `nil` where a is zero or no number.
    fileprivate static func distance(from first: [Tensor], to second: [Tensor]) -> Double? {
        var (distance, length) = (0.0, 0.0)
        for (first, second) in zip(first, second) {
            first.withUnsafeBuffer { first in
                second.withUnsafeBuffer { second in
                    for (a, b) in zip(first, second) {
                        distance += Double(b - a) * Double(b - a)
                        length += Double(a) * Double(a)
                    }
                }
            }
        }
        return length > 0 && length.isFinite ? (distance / length).squareRoot() : nil
    }
}
