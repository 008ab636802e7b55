import GraftModel

/// An array of a module of PyTorch's, and the variable that it fills.
///
/// | layer | variable | in the file | axes there |
/// |---|---|---|---|
/// | `Conv2D` | kernel (h, w, in, out) | `weight` | (out, in, h, w) |
/// | `DepthwiseConv2D` | kernel (h, w, channels, m) | `weight` | (channels · m, 1, h, w) |
/// | `Dense` | kernel (in, out) | `weight` | (out, in) |
/// | projections of `MultiHeadAttention` | kernel (in, heads, size) or (heads, size, out) | `weight` | (out, in), heads · size as one axis |
/// | these four | bias (out) | `bias` | the same |
/// | `BatchNormalization` | gamma, beta, moving_mean, moving_variance | `weight`, `bias`, `running_mean`, `running_var` | the same |
/// | `LayerNormalization`, `LayerScale` | gamma, beta | `weight`, `bias` | the same |
/// | `RMSNormalization` | scale | `weight` | the same |
/// | `Embedding` | embeddings (rows, width) | `weight` | the same, perhaps with axes of size 1 before |
///
/// Source: torch.nn's Conv2d, Linear, BatchNorm2d, LayerNorm and Embedding, "Variables"; torch.nn.functional.conv2d for the axes.
struct PyTorchArray: Sendable {
    let variable: Variable
    /// What the array may be called in its module, the likeliest first.
    let names: [String]
    /// The shape that it has in PyTorch.
    let storedShape: Shape
    /// Whether its axes are Keras's already.
    let isTurned: Bool
    /// The part of the array that is the variable.
    let part: PyTorchModule.Part?
    /// The grid that learned positions are brought to.
    var grid: PyTorchModule.Grid?

    /// Whether a stored array has the elements in the order that is expected.
    func fits(_ shape: Shape) -> Bool {
        shape == storedShape || isTurned && Self.withoutOnes(shape) == Self.withoutOnes(storedShape)
            || grid != nil && LearnedPositions(shape, width: variable.shape.last) != nil
    }

    private static func withoutOnes(_ shape: Shape) -> [Int] { Array(shape.dimensions.drop { $0 == 1 }) }

    /// The same numbers with Keras's axes: PyTorch's order is (out, in, places), Keras's the reverse.
    ///
    /// - Precondition: the array has the stored shape.
    func turned(_ stored: Tensor) -> Tensor {
        if let grid, stored.count != variable.shape.elementCount,
            let positions = LearnedPositions(stored.shape, width: variable.shape.last)
        {
            return positions.resampled(stored, to: grid)
        }
        let stored = part.map { cut($0, of: stored) } ?? stored
        let shape = stored.shape
        guard shape.rank > 1, !isTurned else { return stored.reshaped(to: variable.shape) }
        let (outputs, inputs) = (shape[0], shape[1])
        let places = shape.dimensions.dropFirst(2).reduce(1, *)
        return Tensor(uninitialized: variable.shape) { target in
            stored.withUnsafeBuffer { source in
                for output in 0..<outputs {
                    for input in 0..<inputs {
                        let start = (output * inputs + input) * places
                        for place in 0..<places {
                            target[(place * inputs + input) * outputs + output] = source[start + place]
                        }
                    }
                }
            }
        }
    }

    /// One of several equal parts along the axis of outputs: the first one, or the last where the array is turned.
    private func cut(_ part: PyTorchModule.Part, of stored: Tensor) -> Tensor {
        var shape = stored.shape
        let axis = isTurned ? shape.rank - 1 : 0
        let rows = shape.dimensions.prefix(axis).reduce(1, *)
        let whole = stored.count / max(rows, 1)
        let width = whole / part.count
        shape[axis] /= part.count
        return Tensor(uninitialized: shape) { target in
            stored.withUnsafeBuffer { source in
                for row in 0..<rows {
                    for column in 0..<width {
                        target[row * width + column] = source[row * whole + part.index * width + column]
                    }
                }
            }
        }
    }
}

extension Layer {
    /// The layers that have modules of their own in PyTorch: the projections of attention, or this layer.
    var weightedParts: [Layer] {
        (self as? MultiHeadAttention)?.placedParts.map(\.layer) ?? [self]
    }

    /// The arrays of the layer's module in PyTorch, one for each of its variables; `nil` for a layer that PyTorch has
    /// none of.
    func pyTorchArrays(of module: PyTorchModule) -> [PyTorchArray]? {
        let names: [String: String]
        switch self {
        case is BatchNormalization:
            names = [
                "gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var",
            ]
        case is Conv2D, is DepthwiseConv2D, is Dense, is LayerNormalization, is LayerScale, is RMSNormalization,
            is Embedding:
            names = Self.usualNames
        default:
            guard isProjection else { return nil }
            names = Self.usualNames
        }
        let arrays = variables.compactMap { variable in
            names[variable.name].map { usual in
                var shape = pyTorchShape(of: variable.shape)
                let isTurned = self is Embedding || module.isTurned
                if module.isTurned { shape = Shape(shape.dimensions.reversed()) }
                if let part = module.part { shape[isTurned ? shape.rank - 1 : 0] *= part.count }
                return PyTorchArray(
                    variable: variable, names: module.names[variable.name] ?? [usual], storedShape: shape,
                    isTurned: isTurned, part: module.part, grid: module.grid)
            }
        }
        return arrays.count == variables.count ? arrays : nil
    }

    private static var usualNames: [String: String] {
        [
            "kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias", "embeddings": "weight",
            "scale": "weight", "variable": "weight",
        ]
    }

    private func pyTorchShape(of shape: Shape) -> Shape {
        switch shape.rank {
        // Heads and their numbers are one axis there.
        case _ where isProjection: projectionShape(of: shape)
        // A channelwise kernel sees one channel: its channels and multiples are outputs.
        case 4 where self is DepthwiseConv2D: [shape[2] * shape[3], 1, shape[0], shape[1]]
        case 4: [shape[3], shape[2], shape[0], shape[1]]
        case 2 where !(self is Embedding): [shape[1], shape[0]]
        default: shape
        }
    }
}
