import GraftModel

/// An array of a module of PyTorch's, and the variable that it fills.
///
/// | layer | variable | in the file | axes there |
/// |---|---|---|---|
/// | `Conv2D` | kernel (h, w, in, out) | `weight` | (out, in, h, w) |
/// | `DepthwiseConv2D` | kernel (h, w, channels, m) | `weight` | (channels · m, 1, h, w) |
/// | `Dense` | kernel (in, out) | `weight` | (out, in) |
/// | these three | bias (out) | `bias` | the same |
/// | `BatchNormalization` | gamma, beta, moving_mean, moving_variance | `weight`, `bias`, `running_mean`, `running_var` | the same |
///
/// Source: torch.nn's Conv2d, Linear and BatchNorm2d, "Variables"; torch.nn.functional.conv2d for the axes.
struct PyTorchArray: Sendable {
    let variable: Variable
    /// The array's name in its module.
    let name: String
    /// The shape that it has in PyTorch.
    let storedShape: Shape

    /// The same numbers with Keras's axes: PyTorch's order is (out, in, places), Keras's the reverse.
    ///
    /// - Precondition: the array has the stored shape.
    func turned(_ stored: Tensor) -> Tensor {
        let shape = storedShape
        guard shape.rank > 1 else { return stored.reshaped(to: variable.shape) }
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
}

extension Layer {
    /// The arrays of the layer's module in PyTorch, one for each of its variables; `nil` for a layer that PyTorch has
    /// none of.
    var pyTorchArrays: [PyTorchArray]? {
        let names: [String: String]
        switch self {
        case is Conv2D, is DepthwiseConv2D, is Dense: names = ["kernel": "weight", "bias": "bias"]
        case is BatchNormalization:
            names = [
                "gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var",
            ]
        default: return nil
        }
        let arrays = variables.compactMap { variable in
            names[variable.name].map {
                PyTorchArray(variable: variable, name: $0, storedShape: pyTorchShape(of: variable.shape))
            }
        }
        return arrays.count == variables.count ? arrays : nil
    }

    private func pyTorchShape(of shape: Shape) -> Shape {
        switch shape.rank {
        // A channelwise kernel sees one channel: its channels and multiples are outputs.
        case 4 where self is DepthwiseConv2D: [shape[2] * shape[3], 1, shape[0], shape[1]]
        case 4: [shape[3], shape[2], shape[0], shape[1]]
        case 2: [shape[1], shape[0]]
        default: shape
        }
    }
}
