import GraftGraph

/// A named value at a step, as TensorFlow 2 writes it: a tensor with the name of the plugin that shows it.
///
/// Source: tensorflow/core/framework/summary.proto, tensor.proto; tensorboard/plugins/histogram/summary_v2.py.
struct TensorBoardSummary {
    private var value = ProtobufWriter()

    private enum DataClass: Int {
        case scalar = 1
        case tensor = 2
    }

    private enum ElementType: Int {
        case float32 = 1
        case float64 = 2
    }

    /// A curve's point.
    init(_ tag: String, scalar: Double) {
        add(tag, plugin: "scalars", .scalar)
        addTensor(.float32, shape: [], content: Float(scalar).bitPattern.littleEndianBytes)
    }

    /// How the numbers of a tensor are distributed: thirty buckets from the smallest to the largest.
    init(_ tag: String, histogramOf tensor: Tensor) {
        add(tag, plugin: "histograms", .tensor)
        let rows = HistogramBuckets.rows(of: tensor)
        addTensor(
            .float64, shape: [rows.count, 3], content: rows.joined().flatMap { $0.bitPattern.littleEndianBytes })
    }

    /// The `Summary` message with this value in it.
    var message: ProtobufWriter {
        var summary = ProtobufWriter()
        summary.add(1, value)
        return summary
    }

    private mutating func add(_ tag: String, plugin: String, _ dataClass: DataClass) {
        var data = ProtobufWriter()
        data.add(1, plugin)
        var metadata = ProtobufWriter()
        metadata.add(1, data)
        metadata.add(4, dataClass.rawValue)
        value.add(1, tag)
        value.add(9, metadata)
    }

    private mutating func addTensor(_ type: ElementType, shape: [Int], content: [UInt8]) {
        var shapeMessage = ProtobufWriter()
        for size in shape {
            var dimension = ProtobufWriter()
            dimension.add(1, size)
            shapeMessage.add(2, dimension)
        }
        var tensor = ProtobufWriter()
        tensor.add(1, type.rawValue)
        tensor.add(2, shapeMessage)
        tensor.add(4, bytes: content)
        value.add(8, tensor)
    }
}

/// TensorBoard's buckets.
enum HistogramBuckets {
    static let count = 30

    /// The left edge, the right edge and the count of each bucket; where all numbers are the same, they are in the last.
    static func rows(of tensor: Tensor) -> [[Double]] {
        let values = tensor.scalars.map(Double.init)
        guard let low = values.min(), let high = values.max(), high - low > 0, (high - low).isFinite else {
            let value = values.first ?? 0
            return (0..<count).map { [value, value, $0 == count - 1 ? Double(values.count) : 0] }
        }
        let width = (high - low) / Double(count)
        var counts = [Double](repeating: 0, count: count)
        for value in values { counts[min(Int((value - low) / width), count - 1)] += 1 }
        let step = (high - low) / Double(count)
        let edges = (0..<count).map { low + Double($0) * step } + [high]
        return (0..<count).map { [edges[$0], edges[$0 + 1], counts[$0]] }
    }
}
