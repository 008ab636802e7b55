extension Operation {
    /// The additions and multiplications of a product, each counted as one: two for each element of the kernel that an
    /// element of the result reads. 0 for what is a matter of memory.
    ///
    /// - Parameters:
    ///   - operands: the shapes of what it reads.
    ///   - result: the shape of what it makes.
    package func flopCount(of operands: [Shape], result: Shape) -> Int {
        switch self {
        case .convolution where operands.count > 1:
            2 * result.elementCount * operands[1].dimensions.dropLast().reduce(1, *)
        case .convolutionInputGradient where operands.count > 1:
            2 * operands[0].elementCount * operands[1].dimensions.dropLast().reduce(1, *)
        case .convolutionKernelGradient(_, let kernel) where operands.count > 1:
            2 * operands[1].elementCount * kernel.dimensions.dropLast().reduce(1, *)
        case .matrixProduct(let transposeLeft, _, _) where operands.count > 1:
            2 * result.elementCount * operands[0][transposeLeft ? 0 : 1]
        default: 0
        }
    }
}
