/// What a machine runs: layers lower to it, its gradients are made of it, backends implement it.
///
/// Every operation has one result. The cases are families, for passes and backends that match them; what is known of an
/// operation is in its family's file: see `OperationRule`.
public enum Operation: Hashable, Sendable {
    /// What has no operands and is not random: an input, a variable, a constant.
    case leaf(Leaf)
    /// Random numbers, and what is rounded by them.
    case random(RandomOperation)
    /// A convolution or one of its gradients.
    case convolution(ConvolutionOperation)
    /// A product of two matrices.
    case product(MatrixProduct)
    /// Pooling or its gradient.
    case pooling(Pooling)
    /// A function of single numbers, applied to each element.
    case elementwise(Elementwise)
    /// A function of many numbers, along some axes.
    case reduction(Reduction)
    /// The same numbers in other places, under another shape or of another type.
    case movement(Movement)
    /// Softmax or its logarithm.
    case softmax(Softmax)
    /// Any other: see ``CustomOperation``.
    case custom(AnyCustomOperation)

    /// What is known of the operation.
    package var rule: any OperationRule {
        switch self {
        case .leaf(let rule): rule
        case .random(let rule): rule
        case .convolution(let rule): rule
        case .product(let rule): rule
        case .pooling(let rule): rule
        case .elementwise(let rule): rule
        case .reduction(let rule): rule
        case .movement(let rule): rule
        case .softmax(let rule): rule
        case .custom(let custom): custom.rule
        }
    }
}

extension Operation: CustomStringConvertible {
    /// The operation with its attributes. Names of features in the cache are made of it, so that it does not change.
    public var description: String { "\(rule)" }
}

extension Operation {
    /// The operation's name, without its attributes: for messages and profiles.
    public var name: String { rule.name }

    /// How many operands the operation takes, or `nil` for one that takes any positive number.
    public var operandCount: Int? { rule.operandCount }

    /// The shape of the result for operands of these shapes.
    ///
    /// - Throws: ``GraftError`` with code `shape` where the operands do not fit the operation or a size would be zero
    ///   or negative.
    public func resultShape(_ operands: [Shape]) throws(GraftError) -> Shape {
        let rule = rule
        if let count = rule.operandCount {
            guard operands.count == count else {
                throw rule.mismatch("takes \(count) operands, was given \(operands.count)")
            }
        } else if operands.isEmpty {
            throw rule.mismatch("takes at least one operand, was given none")
        }
        for shape in operands + rule.attributeShapes where !shape.isValid {
            throw rule.mismatch("the shape \(shape) has a negative size or is too large")
        }
        let result = try rule.shape(of: operands)
        guard result.isValid else {
            throw rule.mismatch("the result would have the shape \(result), which is too large")
        }
        return result
    }

    /// The type of the result, float32 where none is asked for.
    ///
    /// - Throws: ``GraftError`` with code `argument` where another type is asked for than the operation gives.
    func resultType(wanted: ElementType?, operands: [ElementType]) throws(GraftError) -> ElementType {
        let own: ElementType? =
            switch rule.typeRule {
            case .rounded, .stored: wanted == .int32 ? .float32 : nil
            case .given: wanted == .bfloat16 ? .float32 : nil
            case .fixed(let type), .conversion(let type): type
            case .ofOperand: operands.first
            }
        guard let own else { return wanted ?? .float32 }
        guard wanted == nil || wanted == own else {
            throw GraftError(
                .argument,
                "operation \(name): gives \(own.rawValue), not \(wanted?.rawValue ?? ""); add a cast after it")
        }
        return own
    }

    /// The additions and multiplications of a product, each counted as one: two for each element of the kernel that an
    /// element of the result reads. 0 for what is a matter of memory.
    ///
    /// - Parameters:
    ///   - operands: the shapes of what it reads.
    ///   - result: the shape of what it makes.
    package func flopCount(of operands: [Shape], result: Shape) -> Int { rule.flopCount(of: operands, result: result) }
}

/// What passes ask of a family.
extension Operation {
    /// Whether the value differs from run to run by itself: an input, random numbers, or what is rounded stochastically.
    var isGivenByRun: Bool {
        switch self {
        case .leaf(.input), .random: true
        default: false
        }
    }

    /// Whether it has no operands: an input, a variable, a constant or random numbers.
    public var isLeaf: Bool {
        switch self {
        case .leaf, .random(.uniform): true
        default: false
        }
    }

    /// Whether it multiplies many numbers with many: any convolution or matrix product.
    public var isProduct: Bool { rule.isProduct }

    /// Whether the elements stay as they are, under another shape.
    var isReshape: Bool { if case .movement(.reshape) = self { true } else { false } }

    /// An elementwise operation as a program; `nil` for any other operation.
    public var elementwiseProgram: ElementwiseProgram? {
        if case .elementwise(let operation) = self { operation.program } else { nil }
    }
}
