extension OperationTable {
    /// The functions that give elements other places.
    static let movements: [String: Rule] = [
        "Reshape": { (call, graph) throws(GraftError) in
            let input = try call.value(0, in: &graph)
            let sizes = try call.setting("newshape")?.axes() ?? []
            return try graph.reshape(input, to: filled(sizes, elements: graph.shape(of: input).elementCount))
        },
        "Transpose": { (call, graph) throws(GraftError) in
            let input = try call.value(0, in: &graph)
            let rank = graph.shape(of: input).rank
            let reversed = Array((0..<rank).reversed())
            return try graph.permute(
                input, axes: call.setting("axes") == nil ? reversed : call.axes("axes", rank: rank))
        },
        "ExpandDims": { (call, graph) throws(GraftError) in
            let input = try call.value(0, in: &graph)
            var dimensions = graph.shape(of: input).dimensions
            for axis in try call.axes(rank: dimensions.count + 1).sorted() { dimensions.insert(1, at: axis) }
            return try graph.reshape(input, to: Shape(dimensions))
        },
        "Squeeze": { (call, graph) throws(GraftError) in
            let input = try call.value(0, in: &graph)
            let shape = graph.shape(of: input)
            let axes = try call.setting("axis") == nil ? [] : call.axes(rank: shape.rank)
            guard !axes.isEmpty, axes.allSatisfy({ shape[$0] == 1 }) else {
                throw GraftError(.shape, "its axes must be named and have size 1; they are \(axes) of \(shape)")
            }
            return try graph.reshape(
                input, to: Shape(shape.dimensions.indices.filter { !axes.contains($0) }.map { shape[$0] }))
        },
        "Concatenate": { (call, graph) throws(GraftError) in
            let values = try call.values(0)
            let rank = values.first.map { graph.shape(of: $0).rank } ?? 0
            return try graph.concatenate(values, axis: only(call.axes(rank: rank)))
        },
        "Stack": { (call, graph) throws(GraftError) in
            let values = try call.values(0)
            let rank = values.first.map { graph.shape(of: $0).rank } ?? 0
            let axis = try only(call.axes(rank: rank + 1))
            let parts = try values.map { (value) throws(GraftError) in
                var dimensions = graph.shape(of: value).dimensions
                dimensions.insert(1, at: min(axis, dimensions.count))
                return try graph.reshape(value, to: Shape(dimensions))
            }
            return try graph.concatenate(parts, axis: axis)
        },
        "Flip": { (call, graph) throws(GraftError) in
            var result = try call.value(0, in: &graph)
            for axis in try call.axes(rank: graph.shape(of: result).rank) {
                result = try graph.steps(result, along: axis, from: graph.shape(of: result)[axis] - 1, by: -1)
            }
            return result
        },
        "Pad": { (call, graph) throws(GraftError) in
            try call.require("mode", "constant")
            let widths = try (call.setting("pad_width")?.elements ?? []).map { (pair) throws(GraftError) in
                let sides = try pair.axes()
                guard sides.count == 2, sides.allSatisfy({ (0...Size2D.limit).contains($0) }) else {
                    throw GraftError(.format, "its argument pad_width must hold pairs of sizes, has \(pair.brief)")
                }
                return sides
            }
            let (before, after) = (widths.map { $0[0] }, widths.map { $0[1] })
            let input = try call.value(0, in: &graph)
            // Keras's second argument: what stands at the edges.
            guard let value = call.number(1), value != 0 else {
                return try graph.pad(input, before: before, after: after)
            }
            return try graph.pad(input, with: Float(value), before: before, after: after)
        },
        "Cast": { (call, graph) throws(GraftError) in
            guard let type = call.setting("dtype")?.text, ["float32", "float16", "bfloat16", "float64"].contains(type)
            else {
                throw GraftError(
                    .format,
                    "it casts to \(call.setting("dtype")?.brief ?? "nothing"); Graft computes with float32 alone")
            }
            return try graph.cast(call.value(0, in: &graph), to: .float32)
        },
        "Resize": { (call, graph) throws(GraftError) in
            let size = try Size2D(configuration: call.setting("size") ?? .null)
            let layer = Resizing(
                height: size.height, width: size.width,
                interpolation: try Interpolation(configuration: call.setting("interpolation") ?? "bilinear"),
                cropToAspectRatio: call.setting("crop_to_aspect_ratio")?.flag ?? false,
                padToAspectRatio: call.setting("pad_to_aspect_ratio")?.flag ?? false,
                fillValue: call.setting("fill_value")?.number ?? 0, antialias: call.setting("antialias")?.flag ?? false)
            try call.require("data_format", "channels_last")
            try layer.checkArguments()
            let images = try call.value(0, in: &graph)
            _ = try layer.outputShape(for: [Shape(Array(graph.shape(of: images).dimensions.dropFirst()))])
            return try layer.resized(images, in: &graph)
        },
        "GetItem": { (call, graph) throws(GraftError) in
            let input = try call.value(0, in: &graph)
            return try graph.item(input, OperationIndex.list(call.constant(1), rank: graph.shape(of: input).rank))
        },
    ]

    private static func only(_ axes: [Int]) throws(GraftError) -> Int {
        guard axes.count == 1 else { throw GraftError(.format, "it needs one axis; it has \(axes.count)") }
        return axes[0]
    }

    /// Sizes of which one may be −1.
    private static func filled(_ sizes: [Int], elements: Int) throws(GraftError) -> Shape {
        let known = Shape(sizes.filter { $0 != -1 })
        guard known.rank >= sizes.count - 1, known.isValid, known.elementCount > 0,
            elements.isMultiple(of: known.elementCount)
        else { throw GraftError(.shape, "\(elements) elements do not fill the sizes \(sizes)") }
        return Shape(sizes.map { $0 == -1 ? elements / known.elementCount : $0 })
    }
}

/// What stands at one place of `x[…]`.
enum OperationIndex {
    /// One position; the axis is gone.
    case position(Int)
    /// A part, in steps.
    case slice(start: Int?, stop: Int?, step: Int)
    /// A new axis of size 1.
    case newAxis

    /// The indices of all axes: an ellipsis and what is missing at the end become whole axes.
    static func list(_ configuration: Configuration, rank: Int) throws(GraftError) -> [OperationIndex] {
        let elements = configuration.elements ?? [configuration]
        let isEllipsis = { (element: Configuration) in element["class_name"]?.text == "__ellipsis__" }
        let named = elements.filter { !isEllipsis($0) && !$0.isNull }.count
        guard named <= rank, elements.filter(isEllipsis).count <= 1 else {
            throw GraftError(.format, "its index names \(named) axes of \(rank)")
        }
        let whole = [OperationIndex](repeating: .slice(start: nil, stop: nil, step: 1), count: rank - named)
        var indices: [OperationIndex] = []
        for element in elements {
            if isEllipsis(element) { indices += whole } else { indices.append(try one(element)) }
        }
        return elements.contains(where: isEllipsis) ? indices : indices + whole
    }

    private static func one(_ element: Configuration) throws(GraftError) -> OperationIndex {
        if element.isNull { return .newAxis }
        if let position = element.integer { return .position(position) }
        // Keras 2 writes the three members alone.
        let slice = element["config"] ?? element
        guard slice.members?.keys.contains("stop") == true else {
            throw GraftError(.format, "its index has \(element.brief), which is no number or slice")
        }
        for key in ["start", "stop", "step"] {
            guard let value = slice[key], !value.isNull, value.integer == nil else { continue }
            throw GraftError(.format, "the \(key) of its slice is \(value.brief), no whole number")
        }
        let step = slice["step"]?.integer ?? 1
        guard step != 0 else { throw GraftError(.format, "the step of its slice is 0") }
        return .slice(start: slice["start"]?.integer, stop: slice["stop"]?.integer, step: step)
    }
}

extension Graph {
    /// Edges of a number other than 0: those of 0, and a constant added that is 0 inside. It has no batch axis of its own, so that it
    /// is the same for any batch.
    fileprivate mutating func pad(
        _ operand: ValueID, with value: Float, before: [Int], after: [Int]
    ) throws(GraftError) -> ValueID {
        let padded = try pad(operand, before: before, after: after)
        let (inner, outer) = (shape(of: operand).dimensions, shape(of: padded).dimensions)
        let sizes = Shape(outer.indices.map { inner[$0] == outer[$0] ? 1 : outer[$0] })
        guard sizes.hasSensibleSize, sizes.elementCount <= OperationLayer.constantLimit else {
            throw GraftError(
                .shape,
                "its edges of \(value) around \(shape(of: operand)) are more than \(OperationLayer.constantLimit) numbers"
            )
        }
        var numbers = [Float](repeating: value, count: sizes.elementCount)
        for index in numbers.indices {
            var (rest, isInside) = (index, true)
            for axis in sizes.dimensions.indices.reversed() {
                let place = rest % sizes[axis]
                rest /= sizes[axis]
                let range = before[axis]..<before[axis] + inner[axis]
                if inner[axis] != outer[axis], !range.contains(place) { isInside = false }
            }
            if isInside { numbers[index] = 0 }
        }
        return try binary(.add, padded, constant(Tensor(numbers, shape: sizes)))
    }

    /// `operand[indices]`, as numpy has it.
    fileprivate mutating func item(_ operand: ValueID, _ indices: [OperationIndex]) throws(GraftError) -> ValueID {
        let shape = shape(of: operand)
        var (result, axis, kept) = (operand, 0, [Int]())
        for index in indices {
            switch index {
            case .newAxis: kept.append(1)
            case .position(let position):
                let start = position < 0 ? position + shape[axis] : position
                guard (0..<shape[axis]).contains(start) else {
                    throw GraftError(.shape, "its index \(position) is outside of axis \(axis) of \(shape)")
                }
                result = try part(result, along: axis, from: start, count: 1)
                axis += 1
            case .slice(let start, let stop, let step):
                let (first, count) = Self.range(start, stop, step, size: shape[axis])
                guard count > 0 else { throw GraftError(.shape, "its slice of axis \(axis) of \(shape) is empty") }
                result =
                    step == 1
                    ? try part(result, along: axis, from: first, count: count)
                    : try steps(result, along: axis, from: first, by: step, count: count)
                kept.append(count)
                axis += 1
            }
        }
        return try reshape(result, to: Shape(kept))
    }

    /// Python's `slice.indices`: the first position and how many there are.
    private static func range(_ start: Int?, _ stop: Int?, _ step: Int, size: Int) -> (first: Int, count: Int) {
        func bounded(_ value: Int, _ lower: Int, _ upper: Int) -> Int {
            // Far outside is as good as just outside.
            let position = value < 0 ? max(value, -size - 1) + size : min(value, size)
            return min(max(position, lower), upper)
        }
        if step > 0 {
            let first = start.map { bounded($0, 0, size) } ?? 0
            let end = stop.map { bounded($0, 0, size) } ?? size
            return (first, end > first ? (end - first - 1) / step + 1 : 0)
        }
        let first = start.map { bounded($0, -1, size - 1) } ?? size - 1
        let end = stop.map { bounded($0, -1, size - 1) } ?? -1
        return (first, first > end ? (first - end - 1) / Int(min(step.magnitude, UInt(Int.max))) + 1 : 0)
    }

    private mutating func part(
        _ operand: ValueID, along axis: Int, from start: Int, count: Int
    ) throws(GraftError) -> ValueID {
        var part = shape(of: operand)
        guard part[axis] != count else { return operand }
        let starts = (0..<part.rank).map { $0 == axis ? start : 0 }
        part[axis] = count
        return try slice(operand, start: starts, shape: part)
    }

    /// Every so-manieth element along an axis; all of them where no count is given.
    fileprivate mutating func steps(
        _ operand: ValueID, along axis: Int, from first: Int, by step: Int, count: Int? = nil
    ) throws(GraftError) -> ValueID {
        let count = count ?? shape(of: operand)[axis]
        guard count <= OperationLayer.stepLimit else {
            throw GraftError(.shape, "it takes \(count) steps; at most \(OperationLayer.stepLimit) are taken")
        }
        // One step more than there are elements is never taken, so that no product is out of range.
        let positions = (0..<count).map { Float(count == 1 ? first : first + $0 * step) }
        return try gather(operand, at: constant(Tensor(positions, shape: [count])), axis: axis)
    }
}
