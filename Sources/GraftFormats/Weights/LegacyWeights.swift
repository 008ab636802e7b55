import GraftModel

/// Keras's older weight files, `.h5`: those that Keras publishes for its applications, those of `save_weights("….h5")`
/// in Keras 1 and 2, and the weights inside whole models saved as `.h5`.
///
/// Layers are matched **by position**, as Keras itself matches them: the file's attribute `layer_names` and the model's
/// layers, both in the model's order and both without the layers that have no weights. The names are a second check
/// that Keras does not make, see ``NameCheck``.
///
/// Source: keras/src/legacy/saving/legacy_h5_format.py, `load_weights_from_hdf5_group`.
public enum LegacyWeights {
    /// What the names in a file decide besides the positions.
    public enum NameCheck: Sendable {
        /// Where both the file and the model number their layers (`conv2d_7`), the numbers must run in the same order,
        /// and a layer's arrays must be in the model's order; other names are only noted.
        case numbers
        /// Positions and shapes alone, as Keras does it.
        case none
    }

    /// Fills layers with the weights of a file: all of them, or where anything does not fit, none.
    ///
    /// - Parameters:
    ///   - path: An HDF5 file.
    ///   - layers: The layers in the order of Keras's `model.layers`; those without variables are passed over.
    ///   - names: Whether names are looked at too.
    /// - Returns: What was loaded.
    /// - Throws: `.file` where the file is missing or unreadable; `.format` where it is not HDF5, cut short, damaged or
    ///   no Keras file; `.weights` where the number of layers or arrays or a shape is another than the model's.
    @discardableResult
    public static func load(
        from path: String, into layers: [Layer], checking names: NameCheck = .numbers
    ) throws(GraftError) -> WeightReport {
        let file = try LegacyWeightsFile(reading: path)
        let targets = layers.filter { !$0.legacyVariables.isEmpty }
        let stored = try file.layersWithWeights()
        guard stored.count == targets.count else { throw countMismatch(path, targets: targets, stored: stored) }

        var assignment = WeightAssignment(path: path)
        for (layer, storedLayer) in zip(targets, stored) {
            var variables = layer.legacyVariables
            if case .numbers = names {
                let check = ArrayOrderCheck(layer: layer, stored: storedLayer.arrayNames)
                variables = check.variables
                check.report(to: &assignment)
            }
            try assignment.match(
                variables, count: storedLayer.arrayNames.count, layer: layer.name, storedAs: storedLayer.name
            ) { (index) throws(GraftError) in try storedLayer.dataset(index) }
        }
        if case .numbers = names {
            LayerOrderCheck(model: targets.map(\.name), file: stored.map(\.name)).report(to: &assignment)
        }
        try file.checkTopLevel()
        return try assignment.finish()
    }

    /// Writes the weights of layers as Keras's older `save_weights("….h5")` does.
    ///
    /// - Parameters:
    ///   - layers: The layers in the order of Keras's `model.layers`.
    ///   - path: Where to write; a file that is there is replaced once the new one is complete.
    /// - Throws: `.file` where the disk refuses.
    public static func save(_ layers: [Layer], to path: String) throws(GraftError) {
        try AtomicFile.write(to: path) { (temporary) throws(GraftError) in
            let file = HDF5Writer()
            try file.root.setChunkedAttribute("layer_names", layers.map(\.name))
            try file.root.setAttribute("backend", "tensorflow")
            try file.root.setAttribute("keras_version", KerasArchive.kerasVersion)
            for layer in layers.sorted(by: { $0.name < $1.name }) {
                let group = try file.root.makeGroup(layer.name)
                let variables = layer.legacyVariables
                let names = uniqueNames(variables.map(\.path))
                try group.setChunkedAttribute("weight_names", names)
                for (name, variable) in zip(names, variables) { try group.write(variable.value, to: name) }
            }
            try file.root.makeGroup("top_level_model_weights").setAttribute("weight_names", [])
            try file.write(to: temporary)
        }
    }

    /// Layers of different models inside a model may have one name; their arrays need two in a file.
    private static func uniqueNames(_ names: [String]) -> [String] {
        var counts: [String: Int] = [:]
        return names.map { name in
            let count = counts[name, default: 0]
            counts[name] = count + 1
            return count == 0 ? name : "\(count)/\(name)"
        }
    }

    private static func countMismatch(
        _ path: String, targets: [Layer], stored: [LegacyWeightsFile.StoredLayer]
    ) -> GraftError {
        let names = zip(targets.map(\.name), stored.map(\.name))
        let first = names.first { SerialName($0).base != SerialName($1).base }
        let hint = first.map { "; they first differ where the model has \($0) and the file \($1)" } ?? ""
        return GraftError(
            .weights,
            "\(path) holds \(stored.count) layers with weights, this model has \(targets.count)\(hint); "
                + "check that both are with, or both without, the top")
    }
}

extension Layer {
    /// The order of a layer's arrays in older files: those that train first (Keras's `_legacy_weights`).
    var legacyVariables: [Variable] { trainableVariables + nonTrainableVariables }
}
