import GraftModel
import GraftTestSupport

/// The weights and images that Tests/Keras/application_outputs.py makes by a formula, made again.
enum MadeNumbers {
    private static let tableSize = 65521
    private static let step = 4099

    /// Numbers in [0, 1), each a multiple of 2⁻²⁴.
    private static let table: [Float] = {
        var random = SplitMix(seed: 0)
        return (0..<tableSize).map { _ in Float(random.next() >> 40) * 0x1p-24 }
    }()

    /// Whole numbers from 0 to 255.
    static func images(_ shape: Shape) -> Tensor { made(0, shape) { (256 * $0).rounded(.down) } }

    /// Sets all variables of a model that published weights would set.
    static func fill(_ model: Model) throws {
        for (number, variable) in model.publishedLayers.flatMap(\.variables).enumerated() {
            try variable.assign(made(number, variable.shape, map(for: variable)))
        }
    }

    private static func map(for variable: Variable) -> (Float) -> Float {
        let shape = variable.shape
        switch variable.name {
        case "kernel", "depthwise_kernel", "pointwise_kernel":
            let inputAxes = variable.name == "depthwise_kernel" ? 2 : shape.rank - 1
            let inputs = shape.dimensions.prefix(inputAxes).reduce(1, *)
            let bound = Float((6 / Double(inputs)).squareRoot())
            return { (2 * $0 - 1) * bound }
        case "moving_variance", "variance": return { 0.5 + $0 }
        case "count": return { _ in 0 }
        // The factors of ConvNeXt's LayerScale have no name.
        case "gamma", "variable": return { 0.8 + 0.4 * $0 }
        default: return { 0.1 * (2 * $0 - 1) }
        }
    }

    /// The mapped table from a place that belongs to `number` on, over and over: as numpy's `resize` repeats it.
    private static func made(_ number: Int, _ shape: Shape, _ map: (Float) -> Float) -> Tensor {
        let start = step * number % tableSize
        let values = (table[start...] + table[..<start]).prefix(shape.elementCount).map(map)
        return Tensor(uninitialized: shape) { elements in
            var position = 0
            while position < elements.count {
                let end = min(position + values.count, elements.count)
                _ = UnsafeMutableBufferPointer(rebasing: elements[position..<end])
                    .initialize(from: values[..<(end - position)])
                position = end
            }
        }
    }
}
