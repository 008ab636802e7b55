extension FastPath {
    /// Few rows times a large matrix, which is read once and in place (``SkinnyNNStep``).
    ///
    /// Buys 8.3 → 4.6 ms for the tutorial's hidden layer. Can go when oneDNN's products do not pack a matrix that is used once.
    static let skinnyNN = FastPath("skinny-nn", page: "07-skinny-gemm-nn", .product(SkinnyNN.self))

    /// Few rows times a large transposed matrix (``SkinnyNTStep``).
    ///
    /// Buys 9.7 → 5.3 ms for the gradient of that layer's input. Can go as the one above.
    static let skinnyNT = FastPath("skinny-nt", page: "17-skinny-gemm-nt", .product(SkinnyNT.self))
}

enum SkinnyNN: ProductLowering {
    static func suits(_ site: ProductSite) -> Bool {
        let product = site.product
        return !product.transposeLeft && !product.transposeRight && !product.epilogue.addend
            && SkinnyNNStep.suits(
                rows: site.rows, inner: site.inner, columns: site.columns, isBitmap: site.hasBitmapRows, site.machine)
    }

    static func lower(_ site: ProductSite, in compiler: inout PlanCompiler) throws(GraftError) {
        let (node, reads) = (compiler.graph[site.value], try compiler.sources(of: site.value))
        let (epilogue, threads) = (site.product.epilogue, compiler.threads)
        let multipliesZeros = !compiler.paths.allows(.skippedZeros)
        try compiler.add(site.value, reads: reads) { target throws(GraftError) in
            try SkinnyNNStep(
                rows: site.rows, inner: site.inner, columns: site.columns, left: reads[0], right: reads[1],
                bias: epilogue.bias ? reads[2] : nil, target: target,
                rest: ProgramStep(
                    addend: nil, epilogue.activation, inPlaceOf: target, shape: node.shape, type: node.elementType,
                    threads: threads), isBitmap: site.hasBitmapRows,
                multipliesZeros: multipliesZeros, threads: threads)
        }
    }
}

enum SkinnyNT: ProductLowering {
    static func suits(_ site: ProductSite) -> Bool {
        let product = site.product
        return !product.transposeLeft && product.transposeRight && product.epilogue == .none
            && suits(rows: site.rows, inner: site.inner, columns: site.columns, site.machine)
    }

    /// Measured against oneDNN on matrices that do not fit the caches.
    static func suits(rows: Int, inner: Int, columns: Int, _ machine: Machine) -> Bool {
        rows <= machine.mostSkinnyRows && inner >= machine.leastSkinnyInner && inner * columns >= machine.largeMatrix
    }

    static func lower(_ site: ProductSite, in compiler: inout PlanCompiler) throws(GraftError) {
        let reads = try compiler.sources(of: site.value)
        try compiler.add(site.value, reads: reads) { target throws(GraftError) in
            SkinnyNTStep(
                rows: site.rows, inner: site.inner, columns: site.columns, left: reads[0], right: reads[1],
                target: target)
        }
    }
}
