import GraftGraph

/// An operation outside the families, with how a random graph comes by one. A new operation adds an element to ``all``.
package struct CustomKind: Hashable, Sendable, CustomStringConvertible {
    /// The operation's name.
    package let description: String
    let add: @Sendable (inout RandomGraphBuilder) throws -> Void

    init(_ name: String, _ add: @escaping @Sendable (inout RandomGraphBuilder) throws -> Void) {
        (description, self.add) = (name, add)
    }

    package static func == (left: Self, right: Self) -> Bool { left.description == right.description }
    package func hash(into hasher: inout Hasher) { hasher.combine(description) }

    /// All of them; each has a gradient.
    package static let all = [
        CustomKind("permutation") { builder in
            let operand = try builder.array()
            let axes = Array(0..<builder.graph.shape(of: operand).rank).shuffled(using: &builder.random)
            _ = try builder.graph.permute(operand, axes: axes)
        },
        CustomKind("batchedMatrixProduct") { builder in
            let left = try builder.value(orLeaf: { $0.shape(rank: 3...4) }, where: { $0.rank >= 2 })
            let (shape, rank) = (builder.graph.shape(of: left), builder.graph.shape(of: left).rank)
            let transposeLeft = builder.random.chance(0.5)
            let transposeRight = builder.random.chance(0.5)
            let (inner, units) = (shape[transposeLeft ? rank - 2 : rank - 1], builder.random.size())
            let matrix = transposeRight ? [units, inner] : [inner, units]
            let right = try builder.leaf(Shape(shape.dimensions.dropLast(2) + matrix))
            _ = try builder.graph.batchedMatrixProduct(
                left, right, transposeLeft: transposeLeft, transposeRight: transposeRight)
        },
        CustomKind("gather") { builder in
            let operand = try builder.array()
            let shape = builder.graph.shape(of: operand)
            let axis = builder.random.size(0...shape.rank - 1)
            let indices = try builder.indices(builder.random.shape(rank: 0...2), below: shape[axis])
            _ = try builder.graph.gather(operand, at: indices, axis: axis)
        },
        CustomKind("scatterAdd") { builder in
            let updates = try builder.array()
            let shape = builder.graph.shape(of: updates)
            let axis = builder.random.size(0...shape.rank - 1)
            let count = builder.random.size(0...shape.rank - axis)
            let size = builder.random.size()
            let indices = try builder.indices(Shape(Array(shape.dimensions[axis..<axis + count])), below: size)
            _ = try builder.graph.scatterAdd(updates, at: indices, axis: axis, size: size)
        },
        CustomKind("resize") { builder in
            let size = Size2D(builder.random.size(1...7), builder.random.size(1...7))
            _ = try builder.graph.resize(builder.images(), to: size, builder.random.pick(Interpolation.allCases))
        },
        CustomKind("affineResample") { builder in
            let images = try builder.images()
            let size = Size2D(builder.random.size(1...6), builder.random.size(1...6))
            // Eighths are exact in 32 bits too, so that all backends read the same pixels.
            let numbers = (0..<builder.graph.shape(of: images)[0] * 6).map { _ in
                Float(builder.random.size(0...32) - 16) / 8
            }
            let transforms = try builder.graph.constant(Tensor(numbers, shape: [numbers.count / 6, 6]))
            _ = try builder.graph.affineResample(
                images, transforms, to: size, isBilinear: builder.random.chance(0.5),
                fill: builder.random.pick(FillMode.allCases), fillValue: 0.5)
        },
        CustomKind("topK") { builder in
            let operand = try builder.array()
            _ = try builder.graph.topK(operand, builder.random.size(1...builder.graph.shape(of: operand).last))
        },
    ]
}

extension RandomGraphBuilder {
    /// Whole numbers as an input of either type, one in ten of them outside the sizes.
    fileprivate mutating func indices(_ shape: Shape, below size: Int) throws -> ValueID {
        let name = "input\(inputs.count)"
        let values = (0..<shape.elementCount).map { _ in
            Double(random.chance(0.1) ? random.pick([-1, size]) : random.size(0...max(size - 1, 0)))
        }
        inputs[name] = ReferenceArray(values, shape: shape)
        return try graph.input(name, shape, as: random.chance(0.5) ? .int32 : .float32)
    }
}
