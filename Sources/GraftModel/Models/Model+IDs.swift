/// The ids that an input of a model may hold: those that an ``Embedding`` has rows for.
package struct IDRange: Hashable, Sendable {
    /// The input's position among the model's.
    package let input: Int
    /// The layer's name; of one in a model inside, behind that model's.
    package let layer: String
    /// Ids go from 0 to the one before this.
    package let count: Int
}

extension Model {
    /// What the embeddings take that read the model's inputs, perhaps under another shape; empty before it is built.
    package var idRanges: [IDRange] {
        guard let graph else { return [] }
        return graph.idRanges(of: graph.inputs.indices.map { $0 }, inside: "").ranges
    }
}

extension ModelGraph {
    /// The ranges, and which input each output gives on.
    ///
    /// - Parameter given: for each input here the input of the whole model that it is; `nil` for other numbers.
    fileprivate func idRanges(of given: [Int?], inside path: String) -> (ranges: [IDRange], outputs: [Int?]) {
        var (sources, ranges) = ([SymbolicTensor: Int](), [IDRange]())
        for (tensor, input) in zip(inputs, given) { sources[tensor] = input }
        for call in calls where call.inputs.contains(where: { sources[$0] != nil }) {
            let (read, name) = (call.inputs.map { sources[$0] }, path + call.layer.name)
            switch call.layer {
            case let embedding as Embedding:
                ranges += read.compactMap { $0.map { IDRange(input: $0, layer: name, count: embedding.inputDim) } }
            case let model as Model:
                guard let inner = model.graph?.idRanges(of: read, inside: name + "/") else { continue }
                ranges += inner.ranges
                for (tensor, input) in zip(call.outputs, inner.outputs) { sources[tensor] = input }
            case let layer where layer.has(.keepsNumbers):
                for tensor in call.outputs { sources[tensor] = read[0] }
            default: continue
            }
        }
        return (ranges, outputs.map { sources[$0] })
    }
}
