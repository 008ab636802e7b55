import GraftModel

/// An older Keras weights file that is open: its layers and their arrays, by the file's own lists.
struct LegacyWeightsFile {
    /// A layer as the file lists it.
    struct StoredLayer {
        let name: String
        let arrayNames: [String]
        let group: HDF5Group

        /// One of the layer's arrays, opened and checked, not read.
        func dataset(_ index: Int) throws(GraftError) -> HDF5Dataset { try group.dataset(arrayNames[index]) }
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
        try checkThatNoneIsTwice(names, "layers")
        var layers: [StoredLayer] = []
        for name in names {
            let group = try root.group(name)
            guard let arrayNames = try group.strings(chunkedAttribute: "weight_names") else {
                throw GraftError(.format, "\(path): the layer \(name) has no list of its arrays (\"weight_names\")")
            }
            try checkThatNoneIsTwice(arrayNames, "arrays of \(name)")
            if !arrayNames.isEmpty { layers.append(StoredLayer(name: name, arrayNames: arrayNames, group: group)) }
        }
        return layers
    }

    /// A list that names an array a thousand times would fill memory with it.
    private func checkThatNoneIsTwice(_ names: [String], _ what: String) throws(GraftError) {
        var known: Set<String> = []
        guard let twice = names.first(where: { !known.insert($0).inserted }) else { return }
        throw GraftError(.format, "\(path) is damaged or hostile: its list of \(what) has \"\(twice)\" twice")
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
