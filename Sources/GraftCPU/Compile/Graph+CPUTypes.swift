internal import COneDNN

extension Graph {
    /// The graph with types that the CPU's kernels have: casts are inserted around operations in float32.
    ///
    /// Elementwise programs read and write any floating-point types, and integers are read as indices alone. Pooling and copies have one type for all operands and results; convolutions
    /// one for what they read, where oneDNN has a fast kernel for it. Its reference code, to which it falls back silently, is a
    /// thousand times slower than a cast.
    func legalizedForCPU(_ engine: Engine, _ paths: FastPaths) throws(GraftError) -> Graph {
        let allowsDirectCode = paths.allows(.oneDNNDirectCode)
        return try legalizingTypes { node, shapes, types in
            if case .custom(let custom) = node.operation {
                return custom.hasKernel(taking: types) && node.elementType == .float32
            }
            guard !types.contains(.int32) else { return false }
            let allBFloat16 = types.allSatisfy { $0 == .bfloat16 }
            return switch node.operation {
            case .elementwise, .random(.stochasticRounding), .movement(.broadcast): true
            case .pooling(.maxPooling), .pooling(.averagePooling):
                paths.allows(.bfloat16Pooling) && allBFloat16 && node.elementType == .bfloat16
            case .movement(.pad), .movement(.slice),
                .movement(.concatenation):
                allBFloat16 && node.elementType == .bfloat16
            case .convolution(.forward(_, let epilogue)):
                types.prefix(2).allSatisfy { $0 == .bfloat16 } && (!epilogue.bias || types[2] == .float32)
                    && (!epilogue.addend || types[types.count - 1] == node.elementType)
                    && engine.isFast(node, shapes, types, allowsDirectCode)
            case .convolution(.inputGradient): allBFloat16 && engine.isFast(node, shapes, types, allowsDirectCode)
            case .convolution(.kernelGradient):
                allBFloat16 && node.elementType == .float32 && engine.isFast(node, shapes, types, allowsDirectCode)
            default: false
            }
        }
    }
}

extension Engine {
    /// Whether oneDNN has a kernel for a convolution or its gradients that is not its reference code.
    fileprivate func isFast(
        _ node: Graph.Node, _ shapes: [Shape], _ types: [ElementType], _ allowsDirectCode: Bool
    ) -> Bool {
        guard var geometry = ConvolutionGeometry(node, operands: shapes, types) else { return false }
        geometry.allowsDirectCode = allowsDirectCode
        do throws(GraftError) {
            let primitive =
                switch node.operation {
                case .convolution(.inputGradient): try Primitive.inputGradient(self, geometry)
                case .convolution(.kernelGradient): try Primitive.kernelGradient(self, geometry)
                default: try Primitive.convolution(self, geometry, geometry.safe(node.operation.epilogue))
                }
            return !primitive.isReference
        } catch { return false }
    }
}

extension ConvolutionGeometry {
    /// The geometry of a convolution or one of its gradients; `nil` for another operation.
    ///
    /// - Parameter types: the operands' element types; a kernel's is that of the plain one, before it is packed.
    init?(_ node: Graph.Node, operands shapes: [Shape], _ types: [ElementType]) {
        switch node.operation {
        case .convolution(.forward(let convolution, _)):
            self.init(
                convolution: convolution, input: shapes[0], kernel: shapes[1], output: node.shape,
                types: ConvolutionTypes(input: types[0], kernel: types[0], output: node.elementType, plain: types[1]))
        case .convolution(.inputGradient(let convolution, let input)):
            self.init(
                convolution: convolution, input: input, kernel: shapes[1], output: shapes[0],
                types: ConvolutionTypes(input: node.elementType, kernel: types[0], output: types[0], plain: types[1]))
        case .convolution(.kernelGradient(let convolution, let kernel)):
            self.init(
                convolution: convolution, input: shapes[0], kernel: kernel, output: shapes[1],
                types: ConvolutionTypes(
                    input: types[0], kernel: node.elementType, output: types[1], plain: node.elementType))
        default: return nil
        }
    }

    /// The part of an epilogue that oneDNN computes correctly: version 2.6 adds wrong values, or crashes, where a window is all
    /// padding.
    func safe(_ epilogue: Epilogue) -> Epilogue {
        epilogue.addend && hasEmptyWindows ? Epilogue(bias: epilogue.bias) : epilogue
    }
}

extension Operation {
    /// A convolution's epilogue.
    fileprivate var epilogue: Epilogue {
        if case .convolution(.forward(_, let epilogue)) = self { epilogue } else { .none }
    }
}

/// The element types of a convolution's arrays.
struct ConvolutionTypes {
    var input = ElementType.float32
    /// Of the packed kernel.
    var kernel = ElementType.float32
    var output = ElementType.float32
    /// Of the kernel in HWIO, before it is packed or after its gradient is unpacked.
    var plain = ElementType.float32
}
