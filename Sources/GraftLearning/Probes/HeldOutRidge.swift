import GraftGraph

/// Ridge regression judged on examples that it did not learn from, exactly and without training again.
///
/// A fit minimises `Σ (y − x w)² + λ |w|²` over the training examples; `x` has a last element that is the same for all, ten times
/// the root of the mean squared length of the rows, so that the penalty hardly touches the constant. Of a fit to all examples,
/// with `H = X (XᵀX + λ)⁻¹ Xᵀ` and `e = y − H y`, the residuals of a fold `F` that was left out are
///
///     r_F = (1 − H_FF)⁻¹ e_F
///
/// which is leave-one-out for folds of one. One factorization for each penalty serves all folds and all targets: of `XᵀX + λ`
/// where there are fewer features than examples, else of `X Xᵀ + λ`, where `1 − H = λ (X Xᵀ + λ)⁻¹`.
///
/// - Complexity: m³ / 6 + m² n / 2 multiplications for a penalty, with n examples and m the smaller of n and the features.
///
/// Source: Cawley and Talbot, "Fast exact leave-one-out cross-validation of sparse least-squares support vector machines",
/// Neural Networks 17 (2004), section 3; scikit-learn's `RidgeCV` has folds of one.
package struct HeldOutRidge: Sendable {
    private let count: Int
    private let width: Int
    /// (count, width), the constant at the end of each row.
    private let rows: [Double]
    /// Target by target, (outputs, count).
    private let targets: [Double]
    private let outputs: Int
    private let folds: [[Int]]
    /// The lower triangle of `XᵀX` or of `X Xᵀ`.
    private let gram: [Double]
    private let isPrimal: Bool

    /// - Parameters:
    ///   - features: (count, width), on a common scale.
    ///   - targets: (outputs, count): one target after the other.
    ///   - folds: the examples of each fold, each example in one.
    /// - Throws: `GraftError` with code `shape` where the sizes do not fit, `data` where a feature is not finite.
    package init(features: [Float], width: Int, targets: [Double], folds: [[Int]]) throws(GraftError) {
        let count = width > 0 ? features.count / width : 0
        guard count > 0, features.count == count * width, targets.count % count == 0, !targets.isEmpty,
            folds.flatMap(\.self).sorted() == Array(0..<count)
        else {
            throw GraftError(
                .shape,
                "\(features.count) features in rows of \(width), \(targets.count) targets and \(folds.count) folds do not fit"
            )
        }
        guard features.allSatisfy(\.isFinite) else {
            throw GraftError(.data, "some of the features are not finite, so that nothing can be fitted to them")
        }
        (self.count, self.targets, self.folds) = (count, targets, folds)
        outputs = targets.count / count
        rows = Self.withConstant(features, count: count, width: width)
        self.width = width + 1
        isPrimal = width + 1 < count
        gram =
            isPrimal
            ? DotProducts.gram(Self.transposed(rows, count, width + 1), count: width + 1, width: count)
            : DotProducts.gram(rows, count: count, width: width + 1)
    }

    private static func withConstant(_ features: [Float], count: Int, width: Int) -> [Double] {
        let square = features.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(count)
        let constant = square > 0 ? 10 * square.squareRoot() : 1
        var rows: [Double] = []
        rows.reserveCapacity(count * (width + 1))
        for row in 0..<count {
            for place in 0..<width { rows.append(Double(features[row * width + place])) }
            rows.append(constant)
        }
        return rows
    }

    private static func transposed(_ rows: [Double], _ count: Int, _ width: Int) -> [Double] {
        var result = [Double](repeating: 0, count: rows.count)
        for row in 0..<count { for place in 0..<width { result[place * count + row] = rows[row * width + place] } }
        return result
    }

    /// What each example's targets are said to be by a fit without its fold, (outputs, count), for each penalty `λ`; several at
    /// once.
    ///
    /// - Throws: `GraftError` with code `argument` for a penalty that is not above zero, `data` where the features cannot be
    ///   solved for.
    package func predictions(penalties: [Double]) throws(GraftError) -> [[Double]] {
        for penalty in penalties where !(penalty > 0 && penalty.isFinite) {
            throw GraftError(.argument, "the penalty of ridge is \(penalty); it must be above 0")
        }
        let results = ParallelRows.map(count: penalties.count) { place in
            Result { () throws(GraftError) in try heldOut(penalties[place]) }
        }
        var found: [[Double]] = []
        for result in results { found.append(try result.get()) }
        return found
    }

    private func heldOut(_ penalty: Double) throws(GraftError) -> [Double] {
        let factor = try CholeskyFactor(gram, size: isPrimal ? width : count, adding: penalty)
        // Rows whose products are those of H, or of (X Xᵀ + λ)⁻¹.
        let halves = isPrimal ? factor.solvingLower(rows) : Self.inverseHalves(factor)
        let length = isPrimal ? width : count
        let fitted = isPrimal ? fitted(factor) : factor.solving(targets).map { penalty * $0 }
        let residuals = isPrimal ? zip(targets, fitted).map { $0 - $1 } : fitted
        var result = targets
        for fold in folds where !fold.isEmpty {
            let block = Self.block(halves, length, fold, isPrimal ? nil : penalty)
            let system = try CholeskyFactor(block, size: fold.count)
            for output in 0..<outputs {
                let left = system.solving(fold.map { residuals[output * count + $0] })
                for (example, residual) in zip(fold, left) { result[output * count + example] -= residual }
            }
        }
        return result
    }

    /// `L⁻¹` column by column, as rows: their products are the elements of the inverse.
    private static func inverseHalves(_ factor: CholeskyFactor) -> [Double] {
        var identity = [Double](repeating: 0, count: factor.size * factor.size)
        for place in 0..<factor.size { identity[place * factor.size + place] = 1 }
        return factor.solvingLower(identity)
    }

    /// `1 − H_FF`; or, with a penalty, that times the inverse's block.
    private static func block(_ halves: [Double], _ length: Int, _ fold: [Int], _ penalty: Double?) -> [Double] {
        var own: [Double] = []
        own.reserveCapacity(fold.count * length)
        for example in fold { own += halves[(example * length)..<((example + 1) * length)] }
        var block = DotProducts.gram(own, count: fold.count, width: length)
        if let penalty { return block.map { penalty * $0 } }
        for place in block.indices { block[place] = -block[place] }
        for place in 0..<fold.count { block[place * fold.count + place] += 1 }
        return block
    }

    /// `X (XᵀX + λ)⁻¹ Xᵀ y` for each target.
    private func fitted(_ factor: CholeskyFactor) -> [Double] {
        var sides = [Double](repeating: 0, count: outputs * width)
        for output in 0..<outputs {
            for example in 0..<count {
                let target = targets[output * count + example]
                for place in 0..<width { sides[output * width + place] += target * rows[example * width + place] }
            }
        }
        let weights = factor.solving(sides)
        var result = [Double](repeating: 0, count: outputs * count)
        for output in 0..<outputs {
            for example in 0..<count {
                var sum = 0.0
                for place in 0..<width { sum += weights[output * width + place] * rows[example * width + place] }
                result[output * count + example] = sum
            }
        }
        return result
    }
}
