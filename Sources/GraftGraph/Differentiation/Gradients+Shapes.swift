/// Reductions, softmax, and what moves elements about.
extension Graph {
    mutating func propagateReduction(
        _ function: ReductionFunction, _ step: BackwardStep, into pass: inout BackwardPass
    ) throws(GraftError) {
        let (x, y) = (step.operand(0), step.value)
        let shape = shape(of: x)
        switch function {
        case .sum: try pass.contribute(broadcast(step.gradient, to: shape), to: x, in: &self)
        case .mean:
            let share = Float(step.node.shape.elementCount) / Float(shape.elementCount)
            try pass.contribute(broadcast(scaled(step.gradient, by: share), to: shape), to: x, in: &self)
        case .maximum:
            let winners = try binary(.equal, x, y)
            let count = try add(.reduction(.sum, axes: axes(of: step)), [winners])
            try pass.contribute(
                binary(.multiply, winners, binary(.divide, step.gradient, count)), to: x, in: &self)
        }
    }

    private func axes(of step: BackwardStep) -> [Int] {
        if case .reduction(_, let axes) = step.node.operation { axes } else { [] }
    }

    /// `dx = y · (dy − Σ dy · y)` for softmax, `dx = dy − eʸ · Σ dy` for its logarithm; sums over the last axis.
    mutating func propagateSoftmax(_ step: BackwardStep, into pass: inout BackwardPass) throws(GraftError) {
        let (y, gradient) = (step.value, step.gradient)
        if case .softmax = step.node.operation {
            let mean = try reduce(.sum, binary(.multiply, gradient, y), axes: [-1], keepDimensions: true)
            let result = try binary(.multiply, y, binary(.subtract, gradient, mean))
            try pass.contribute(result, to: step.operand(0), in: &self)
        } else {
            let sum = try reduce(.sum, gradient, axes: [-1], keepDimensions: true)
            let result = try binary(.subtract, gradient, binary(.multiply, unary(.exponential, y), sum))
            try pass.contribute(result, to: step.operand(0), in: &self)
        }
    }

    mutating func propagateShape(_ step: BackwardStep, into pass: inout BackwardPass) throws(GraftError) {
        let operand = step.operand(0)
        let shape = shape(of: operand)
        switch step.node.operation {
        // As if rounding had the slope 1, which it has on the mean.
        case .cast, .stochasticRounding:
            try pass.contribute(cast(step.gradient, to: self[operand].elementType), to: operand, in: &self)
        case .broadcast: try pass.contribute(reduced(step.gradient, to: shape), to: operand, in: &self)
        case .reshape: try pass.contribute(reshape(step.gradient, to: shape), to: operand, in: &self)
        case .pad(let before, _):
            try pass.contribute(slice(step.gradient, start: before, shape: shape), to: operand, in: &self)
        case .slice(let start, let part):
            let after = shape.dimensions.indices.map { shape[$0] - start[$0] - part[$0] }
            try pass.contribute(pad(step.gradient, before: start, after: after), to: operand, in: &self)
        default: try propagateConcatenation(step, into: &pass)
        }
    }

    /// Each operand gets its part of the gradient.
    private mutating func propagateConcatenation(
        _ step: BackwardStep, into pass: inout BackwardPass
    ) throws(GraftError) {
        guard case .concatenation(let axis) = step.node.operation else { return }
        var start = [Int](repeating: 0, count: step.node.shape.rank)
        for operand in step.node.operands {
            let part = shape(of: operand)
            if pass.wants(operand) {
                try pass.contribute(slice(step.gradient, start: start, shape: part), to: operand, in: &self)
            }
            start[axis] += part[axis]
        }
    }
}
