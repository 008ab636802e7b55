import Graft

/// Networks that were compared at equal cost for the built-in base; `plain` won.
enum Design: String, CaseIterable {
    /// 3 × 3 convolutions in pairs, each pair added to its input (ResNet-18's block).
    case plain
    /// 1 × 1, 3 × 3, 1 × 1, added to their input (ResNet-50's block).
    case bottleneck
    /// 1 × 1 that widens, depthwise 3 × 3, 1 × 1 that narrows (MobileNetV2's block).
    case mobile

    /// The network up to its features, for images of 0 to 255.
    func features(size: Int) throws -> Model {
        let image = Input(shape: [size, size, 3])
        var x = try Rescaling(1 / 127.5, offset: -1)(image)
        switch self {
        case .plain:
            x = try unit(x, 24, 3, strides: 2, name: "stem")
            for (stage, (channels, blocks)) in [(32, 1), (64, 1), (128, 1), (256, 1)].enumerated() {
                x = try unit(x, channels, 3, strides: 2, name: "stage\(stage + 1)")
                for block in 1...blocks { x = try pair(x, name: "stage\(stage + 1)_block\(block)") }
            }
        case .bottleneck:
            x = try unit(x, 24, 3, strides: 2, name: "stem")
            for (stage, (channels, blocks)) in [(64, 1), (128, 2), (256, 2), (512, 2)].enumerated() {
                x = try unit(x, channels, 3, strides: 2, name: "stage\(stage + 1)", inner: channels / 4)
                for block in 1...blocks { x = try triple(x, name: "stage\(stage + 1)_block\(block)") }
            }
        case .mobile:
            x = try unit(x, 16, 3, strides: 2, name: "stem")
            for (stage, (channels, blocks)) in [(16, 1), (24, 2), (40, 2), (80, 3)].enumerated() {
                for block in 0...blocks {
                    x = try inverted(x, channels, strides: block == 0 ? 2 : 1, name: "stage\(stage + 1)_block\(block)")
                }
            }
        }
        x = try unit(x, 768, 1, name: "top")
        return try Model(inputs: image, outputs: x, name: "pocket")
    }

    private func unit(
        _ x: SymbolicTensor, _ channels: Int, _ size: Int, strides: Int = 1, name: String, inner: Int? = nil,
        relu: Bool = true
    ) throws -> SymbolicTensor {
        var x = x
        if let inner { x = try unit(x, inner, 1, name: name + "_reduce") }
        if let inner {
            x = try unit(x, inner, size, strides: strides, name: name + "_inner")
            return try unit(x, channels, 1, name: name)
        }
        let convolved = try Conv2D(
            channels, kernelSize: Size2D(size), strides: Size2D(strides), padding: .same, useBias: false,
            kernelInitializer: .heNormal(seed: nil), name: name + "_conv")(x)
        let normalized = try BatchNormalization(momentum: 0.99, name: name + "_bn")(convolved)
        return relu ? try Activation(.relu, name: name + "_relu")(normalized) : normalized
    }

    private func pair(_ x: SymbolicTensor, name: String) throws -> SymbolicTensor {
        let first = try unit(x, x.shape.last, 3, name: name + "_1")
        let second = try unit(first, x.shape.last, 3, name: name + "_2", relu: false)
        return try Activation(.relu, name: name + "_out")(Add(name: name + "_add")([x, second]))
    }

    private func triple(_ x: SymbolicTensor, name: String) throws -> SymbolicTensor {
        let inner = x.shape.last / 4
        var y = try unit(x, inner, 1, name: name + "_1")
        y = try unit(y, inner, 3, name: name + "_2")
        y = try unit(y, x.shape.last, 1, name: name + "_3", relu: false)
        return try Activation(.relu, name: name + "_out")(Add(name: name + "_add")([x, y]))
    }

    private func inverted(_ x: SymbolicTensor, _ channels: Int, strides: Int, name: String) throws -> SymbolicTensor {
        var y = try unit(x, 6 * x.shape.last, 1, name: name + "_expand")
        y = try DepthwiseConv2D(
            kernelSize: 3, strides: Size2D(strides), padding: .same, useBias: false, name: name + "_dw")(y)
        y = try Activation(.relu, name: name + "_dw_relu")(BatchNormalization(name: name + "_dw_bn")(y))
        y = try unit(y, channels, 1, name: name + "_project", relu: false)
        return x.shape == y.shape ? try Add(name: name + "_add")([x, y]) : y
    }
}
