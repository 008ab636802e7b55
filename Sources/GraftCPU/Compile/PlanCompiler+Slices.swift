/// The place of an operand of concatenations along the last axis in the result of the outermost one.
struct ChannelSlice {
    /// The outermost concatenation.
    let whole: ValueID
    /// The channels before it.
    let offset: Int
}

extension Graph {
    /// The operands of concatenations along the last axis that have no other reader: they can be computed in place, as slices of the
    /// result. A concatenation may be such an operand itself.
    var channelSlices: [ValueID: ChannelSlice] {
        let useCounts = useCounts
        var slices: [ValueID: ChannelSlice] = [:]
        // An outer concatenation comes after those in it.
        for value in values.reversed() {
            guard case .movement(.concatenation(let axis)) = self[value].operation, axis == self[value].shape.rank - 1
            else { continue }
            let place = slices[value] ?? ChannelSlice(whole: value, offset: 0)
            var offset = place.offset
            for operand in self[value].operands {
                if useCounts[operand.index] == 1, self[operand].elementType == self[place.whole].elementType {
                    slices[operand] = ChannelSlice(whole: place.whole, offset: offset)
                }
                offset += self[operand].shape[axis]
            }
        }
        return slices
    }
}

/// Concatenations without copies: steps that can, write to a slice of the result.
extension PlanCompiler {
    /// The place of a value in the concatenation that reads it, and the elements from pixel to pixel there; `nil` where it
    /// has memory of its own.
    ///
    /// - Parameter reads: what the step reads that computes it. Loop-invariant values are computed once, elsewhere.
    mutating func slice(for value: ValueID, reading reads: [BufferID]) -> (target: BufferID, pixelStride: Int)? {
        guard isSlice(value, reading: reads), let slice = slices[value],
            let channels = shape(slice.whole).dimensions.last
        else { return nil }
        let whole = wholes[slice.whole] ?? newBuffer(for: slice.whole)
        wholes[slice.whole] = whole
        let place = Buffer.MemoryKind.view(of: whole, offset: slice.offset)
        return (newBuffer(shape(value).elementCount, place, of: graph[value].elementType), channels)
    }

    /// Whether a value has a place in the concatenation that reads it.
    func isSlice(_ value: ValueID, reading reads: [BufferID]) -> Bool {
        slices[value] != nil && graph[value].shape.elementCount > 0 && reads.contains { !isLoopInvariant($0) }
    }

    /// A concatenation: a copy of the operands that are not slices of its result already.
    mutating func compileConcatenation(_ value: ValueID, axis: Int) throws(GraftError) {
        let node = graph[value]
        var sources: [BufferID] = []
        for operand in node.operands { try sources.append(location(of: operand)) }
        // Not those of a concatenation by itself: the whole of its own slices may be there by now.
        let target = slice(for: value, reading: sources)?.target ?? wholes[value]
        guard let target else { return try compileCopy(value) }
        place(value, at: target)
        let whole = slices[value]?.whole ?? value
        let copied = try concatenatedParts(node, sources, axis: axis, into: shape(whole)).filter { part in
            guard case .view(let memory, _) = self[part.source].kind else { return true }
            return memory != wholes[whole]
        }
        guard !copied.isEmpty else { return }
        add(
            CopyStep(parts: copied, target: target, zeroCount: 0, elementType: node.elementType), reads: sources,
            writes: [target], label: node.label, operation: node.operation.name, preparation: .never)
        noteShapes(of: value)
    }

    /// The copies of all operands to their places in an array of a shape, which is as wide as the result or wider.
    func concatenatedParts(
        _ node: Graph.Node, _ sources: [BufferID], axis: Int, into whole: Shape
    ) throws(GraftError) -> [CopyStep.Part] {
        var (parts, position): ([CopyStep.Part], Int) = ([], 0)
        for (operand, source) in zip(node.operands, sources) {
            let part = shape(operand)
            let block = try blockCopy(part, source: part, target: whole)
            parts.append(
                .init(source: source, sourceOffset: 0, targetOffset: position * whole.strides[axis], block: block))
            position += part[axis]
        }
        return parts
    }
}
