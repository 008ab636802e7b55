internal import CPocket
import GraftFormats

/// The weights that are part of Graft: arrays by the path of their variable, `stem_conv/kernel`, in a safetensors file. A
/// kernel of 8 bits a weight has a scale for each output channel next to it, `stem_conv/kernel.scale`.
enum BuiltInWeights {
    /// Those of ``Base/pocket``.
    static func pocket() throws(GraftError) -> SafetensorsFile {
        let bytes = UnsafeBufferPointer(start: graft_pocket_weights(), count: graft_pocket_weights_size())
        return try SafetensorsFile(bytes: Array(bytes), name: "the weights of pocket")
    }

    /// Gives all variables of these layers their values.
    ///
    /// - Throws: `GraftError` with code `weights` where an array is missing or has another shape.
    static func load(_ file: SafetensorsFile, into layers: [Layer]) throws(GraftError) {
        let known = Set(file.arrays.map(\.name))
        for variable in layers.flatMap(\.variables) {
            var values = try file.tensor(variable.path)
            let scale = variable.path + ".scale"
            if known.contains(scale) { values = try scaled(values, by: file.tensor(scale)) }
            guard values.shape == variable.shape else {
                throw GraftError(
                    .weights,
                    "\(file.path): \(variable.path) has the shape \(values.shape), the layer \(variable.shape)")
            }
            try variable.assign(values)
        }
    }

    /// Each row multiplied with the scales of the last axis.
    private static func scaled(_ values: Tensor, by scales: Tensor) throws(GraftError) -> Tensor {
        let shape = values.shape
        let channels = scales.count
        guard channels > 0, values.shape.last == channels else {
            throw GraftError(
                .weights, "\(values.shape) weights have \(scales.shape) scales; one an output channel fits")
        }
        return values.withUnsafeBuffer { values in
            scales.withUnsafeBuffer { scales in
                Tensor(uninitialized: shape) { target in
                    for index in 0..<values.count { target[index] = values[index] * scales[index % channels] }
                }
            }
        }
    }
}
