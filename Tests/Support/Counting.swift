import GraftGraph

/// 1, 2, 3, … times a step.
public func counting(_ shape: Shape, step: Float = 1) -> Tensor {
    Tensor((0..<shape.elementCount).map { Float($0 + 1) * step }, shape: shape)
}
