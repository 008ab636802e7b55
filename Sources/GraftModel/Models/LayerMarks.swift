/// What Graft knows of a model's layers and Keras's configuration has no place for; kept in `graft.json`.
package struct LayerMarks: Codable, Hashable, Sendable {
    /// The paths of the normalizations whose statistics stay as they are while they train.
    package var frozenStatistics: [String]
    /// The paths of the layers that hold constants, which nothing unfreezes.
    package var fixed: [String]

    /// The paths of some layers.
    package init(frozenStatistics: [String] = [], fixed: [String] = []) {
        (self.frozenStatistics, self.fixed) = (frozenStatistics, fixed)
    }

    /// Whether no layer is marked.
    package var isEmpty: Bool { frozenStatistics.isEmpty && fixed.isEmpty }
}

extension Model {
    /// The marks of all layers. Setting them marks those that are named; names that the model does not have are passed
    /// over.
    package final var layerMarks: LayerMarks {
        get {
            let layers = layersWithPaths
            let frozen = layers.filter { ($0.layer as? BatchNormalization)?.statistics == .frozen }
            return LayerMarks(
                frozenStatistics: frozen.map(\.path), fixed: layers.filter { $0.layer.isFixed }.map(\.path))
        }
        set {
            let (frozen, fixed) = (Set(newValue.frozenStatistics), Set(newValue.fixed))
            for (path, layer, _) in layersWithPaths {
                (layer as? BatchNormalization)?.statistics = frozen.contains(path) ? .frozen : .updating
                if fixed.contains(path) { layer.fix() }
            }
        }
    }

    /// All layers, those of models inside behind the model's name and a slash, with the models inside that hold them.
    final var layersWithPaths: [(path: String, layer: Layer, holders: [Model])] {
        sublayers.flatMap { layer -> [(path: String, layer: Layer, holders: [Model])] in
            guard let model = layer as? Model else { return [(layer.name, layer, [])] }
            let inner = model.layersWithPaths.map { ("\(model.name)/\($0.path)", $0.layer, [model] + $0.holders) }
            return [(layer.name, layer, [])] + inner
        }
    }
}
