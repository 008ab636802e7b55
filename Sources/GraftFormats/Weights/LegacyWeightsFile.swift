import GraftModel

/// An older Keras weights file that is open: its layers and their arrays, by the file's own lists.
struct LegacyWeightsFile {
    /// A layer as the file lists it.
    struct StoredLayer {
        let name: String
        let arrayNames: [String]
        let group: HDF5Group

        /// The layer's arrays, opened and checked, not read.
        func datasets() throws(GraftError) -> [HDF5Dataset] {
            var datasets: [HDF5Dataset] = []
            for name in arrayNames { datasets.append(try group.dataset(name)) }
            return datasets
        }
    }

    let path: String
    private let root: HDF5Group

    /// Opens a weights file, or the weights inside a whole model.
    ///
    /// - Throws: `.format` where it has no list of layers.
    init(reading path: String) throws(GraftError) {
        let file = try HDF5File(reading: path)
        self.path = path
        let isWhole = !Self.listsLayers(file.root) && file.root.contains("model_weights")
        root = isWhole ? try file.root.group("model_weights") : file.root
    }

    /// Whether an HDF5 file is of the older kind: with a list of its layers, or of a whole model.
    static func isLegacy(_ path: String) throws(GraftError) -> Bool {
        let root = try HDF5File(reading: path).root
        return listsLayers(root) || root.contains("model_weights")
    }

    private static func listsLayers(_ group: HDF5Group) -> Bool {
        group.hasAttribute("layer_names") || group.hasAttribute("layer_names0")
    }

    /// The layers that have arrays, in the file's order.
    func layersWithWeights() throws(GraftError) -> [StoredLayer] {
        guard let names = try root.strings(chunkedAttribute: "layer_names") else {
            let isNew = root.contains("layers") || root.contains("vars")
            throw GraftError(
                .format,
                "\(path) has no list of layers (attribute \"layer_names\")"
                    + (isNew ? ": it is a weights file of Keras 3, not one of the older kind" : ": no Keras wrote it"))
        }
        var layers: [StoredLayer] = []
        for name in names {
            let group = try root.group(name)
            guard let arrayNames = try group.strings(chunkedAttribute: "weight_names") else {
                throw GraftError(.format, "\(path): the layer \(name) has no list of its arrays (\"weight_names\")")
            }
            if !arrayNames.isEmpty { layers.append(StoredLayer(name: name, arrayNames: arrayNames, group: group)) }
        }
        return layers
    }

    /// Weights of the model itself, outside its layers, belong to subclassed models; Graft's have none.
    func checkTopLevel() throws(GraftError) {
        guard root.contains("top_level_model_weights") else { return }
        let names = try root.group("top_level_model_weights").strings(chunkedAttribute: "weight_names") ?? []
        guard names.isEmpty else {
            throw GraftError(
                .weights,
                "\(path) holds \(names.count) weights of the model itself (\(names[0]), …), this model has none outside its layers"
            )
        }
    }
}
