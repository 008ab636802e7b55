import GraftModel

/// Keras 3's weights files, `model.weights.h5`: alone or as a member of a `.keras` archive. See ``KerasLayout``.
package enum KerasWeights {
    /// Fills a model with the weights of a file: all of them, or where anything does not fit, none.
    ///
    /// Places in the file decide, as in Keras; the names that the file notes next to them are a second check, as
    /// ``LayerOrderCheck`` does it, model by model.
    ///
    static func load(from file: HDF5File, into model: Model) throws(GraftError) -> WeightReport {
        try load(from: file, into: KerasLayout(model))
    }

    private static func load(from file: HDF5File, into layout: KerasLayout) throws(GraftError) -> WeightReport {
        var assignment = WeightAssignment(path: file.path)
        var names: [String: [(model: String, file: String)]] = [:]
        for entry in layout.entries where !entry.variables.isEmpty {
            guard file.root.contains(entry.variablesPath) else {
                assignment.addProblem("the file has nothing for the layer \(entry.layer.name) (\(entry.path))")
                continue
            }
            let group = try file.root.group(entry.variablesPath)
            let stored = try group.strings(attribute: "name")?.first
            try assignment.match(
                entry.variables, count: group.memberCount, layer: entry.layer.name, storedAs: stored ?? entry.path
            ) { (index) throws(GraftError) in try group.dataset(String(index)) }
            if let stored { names[entry.container, default: []].append((entry.name, stored)) }
        }
        for (_, pairs) in names.sorted(by: { $0.key < $1.key }) {
            LayerOrderCheck(model: pairs.map(\.model), file: pairs.map(\.file)).report(to: &assignment)
        }
        return try assignment.finish()
    }

    /// Fills layers with the weights of an HDF5 file that Keras wrote, in whichever of its layouts: all of them, or where
    /// anything does not fit, none.
    ///
    /// - Parameter layers: those of the network that the file is of, in the order of Keras's `model.layers`. Layers that the
    ///   file has next to them, such as a top, are passed over in Keras 3's layout and refused in the older one, as Keras does.
    /// - Throws: as ``LegacyWeights/load(from:into:checking:)``.
    @discardableResult
    package static func load(from path: String, into layers: [Layer]) throws(GraftError) -> WeightReport {
        guard try !LegacyWeightsFile.isLegacy(path) else { return try LegacyWeights.load(from: path, into: layers) }
        let file = try HDF5File(reading: path)
        guard file.root.contains("layers") else {
            throw GraftError(
                .format, "\(path) has neither a list of layers nor the group \"layers\": no Keras wrote its weights")
        }
        return try load(from: file, into: KerasLayout(of: layers))
    }

    /// A model's weights as a file to be; where `sizesOnly`, one of its size, for which no variable needs a value.
    static func file(of model: Model, sizesOnly: Bool = false) throws(GraftError) -> HDF5Writer {
        let file = HDF5Writer()
        for entry in KerasLayout(model).entries {
            let group = try file.root.makeGroup(entry.variablesPath)
            try group.setAttribute("name", entry.name)
            for (index, variable) in entry.variables.enumerated() {
                let name = String(index)
                if sizesOnly {
                    try group.makeRoom(variable.shape, at: name)
                } else {
                    try group.write(variable.value, to: name)
                }
            }
        }
        return file
    }
}
