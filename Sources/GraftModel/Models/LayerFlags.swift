/// The flags of a model's layers that Keras's configuration has no place for; saved in `graft.json`.
package struct LayerFlags: Codable, Hashable, Sendable {
    /// The paths of the normalizations whose statistics stay as they are while they train.
    package var frozenStatistics: [String]
    /// The paths of the permanently frozen layers: they hold constants.
    package var fixed: [String]

    /// The paths of some layers.
    package init(frozenStatistics: [String] = [], fixed: [String] = []) {
        (self.frozenStatistics, self.fixed) = (frozenStatistics, fixed)
    }

    /// Whether no layer is flagged.
    package var isEmpty: Bool { frozenStatistics.isEmpty && fixed.isEmpty }
}

extension Model {
    /// The flags of all layers. Setting them flags the layers that are named; names that the model does not have are passed
    /// over.
    package final var layerFlags: LayerFlags {
        get {
            let layers = layersWithPaths
            let frozen = layers.filter { ($0.layer as? BatchNormalization)?.statistics == .frozen }
            return LayerFlags(
                frozenStatistics: frozen.map(\.path), fixed: layers.filter { $0.layer.isPermanentlyFrozen }.map(\.path))
        }
        set {
            let (frozen, fixed) = (Set(newValue.frozenStatistics), Set(newValue.fixed))
            for (path, layer, _) in layersWithPaths {
                (layer as? BatchNormalization)?.statistics = frozen.contains(path) ? .frozen : .updating
                if fixed.contains(path) { layer.freezePermanently() }
            }
        }
    }

    /// All layers, those of models inside after the model's name and a slash, with the models inside that hold them.
    final var layersWithPaths: [(path: String, layer: Layer, holders: [Model])] {
        sublayers.flatMap { layer -> [(path: String, layer: Layer, holders: [Model])] in
            guard let model = layer as? Model else { return [(layer.name, layer, [])] }
            let inner = model.layersWithPaths.map { ("\(model.name)/\($0.path)", $0.layer, [model] + $0.holders) }
            return [(layer.name, layer, [])] + inner
        }
    }
}
