import GraftModel

/// Where Keras 3 keeps each layer of a model in its weights files.
///
/// Not under the layers' names: under `layers/` and the name of the class in snake case, numbered in the order of
/// `model.layers`, and so on inside models: `layers/sequential/layers/conv2d_1/vars/0`. A layer that is in two places
/// is kept at the first. Element `i` of `vars` is the layer's variable `i`, those that can train first.
///
/// Source: keras/src/saving/saving_lib.py, `_save_state`, `_walk_saveable` and `_save_container_state`.
struct KerasLayout {
    /// One layer and its place.
    struct Entry {
        let layer: Layer
        /// The group that holds `vars`; empty for the model itself.
        let path: String
        /// The path of the model that the layer is in.
        let container: String

        /// Its name in the model, or in the layer that it is a part of.
        var name: String { layer.name.split(separator: "/").last.map(String.init) ?? layer.name }
        /// The group of its arrays.
        var variablesPath: String { path.isEmpty ? "vars" : path + "/vars" }
        /// Its own variables: a model has none but those of its layers, nor a layer that holds another.
        var variables: [Variable] { layer.sublayers.isEmpty ? layer.variables : [] }
    }

    /// All layers, each once, models before what is inside them.
    let entries: [Entry]

    init(_ model: Model) {
        var builder = Builder()
        builder.visit(model, path: "", container: "")
        entries = builder.entries
    }

    /// The places that layers have in a model of them alone.
    init(of layers: [Layer]) {
        var builder = Builder()
        builder.visit(layers, path: "")
        entries = builder.entries
    }

    private struct Builder {
        var entries: [Entry] = []
        var visited: Set<ObjectIdentifier> = []

        mutating func visit(_ layer: Layer, path: String, container: String) {
            guard visited.insert(ObjectIdentifier(layer)).inserted else { return }
            entries.append(Entry(layer: layer, path: path, container: container))
            if let model = layer as? Model { visit(model.layers, path: path) }
            if let holder = layer as? TimeDistributed { visit(holder.layer, path: path + "/layer", container: path) }
            for part in (layer as? MultiHeadAttention)?.placedParts ?? [] {
                visit(part.layer, path: "\(path)/\(part.place)", container: path)
            }
        }

        /// The layers of the model at a path.
        mutating func visit(_ layers: [Layer], path: String) {
            var counts: [String: Int] = [:]
            // Keras holds functions of keras.ops for no layers.
            for inner in layers where !(inner is OperationLayer) {
                let base = type(of: inner).className.snakeCased
                let count = counts[base, default: 0]
                counts[base] = count + 1
                let name = count == 0 ? base : "\(base)_\(count)"
                visit(inner, path: (path.isEmpty ? "" : path + "/") + "layers/" + name, container: path)
            }
        }
    }
}
