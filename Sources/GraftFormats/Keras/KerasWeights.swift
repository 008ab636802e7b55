import GraftModel

/// Keras 3's weights files, `model.weights.h5`: alone or as a member of a `.keras` archive. See ``KerasLayout``.
enum KerasWeights {
    /// Fills a model with the weights of a file: all of them, or where anything does not fit, none.
    ///
    /// Places in the file decide, as in Keras; the names that the file notes beside them are a second check, as
    /// ``LayerOrderCheck`` does it, model by model.
    ///
    static func load(from file: HDF5File, into model: Model) throws(GraftError) -> WeightReport {
        var assignment = WeightAssignment(path: file.path)
        var names: [String: [(model: String, file: String)]] = [:]
        for entry in KerasLayout(model).entries where !entry.variables.isEmpty {
            guard file.root.contains(entry.variablesPath) else {
                assignment.addProblem("the file has nothing for the layer \(entry.layer.name) (\(entry.path))")
                continue
            }
            let group = try file.root.group(entry.variablesPath)
            let stored = try group.strings(attribute: "name")?.first
            let datasets = try datasets(of: group)
            assignment.match(entry.variables, with: datasets, layer: entry.layer.name, storedAs: stored ?? entry.path)
            if let stored { names[entry.container, default: []].append((entry.layer.name, stored)) }
        }
        for (_, pairs) in names.sorted(by: { $0.key < $1.key }) {
            LayerOrderCheck(model: pairs.map(\.model), file: pairs.map(\.file)).report(to: &assignment)
        }
        return try assignment.finish()
    }

    /// A model's weights as a file to be; where `sizesOnly`, one of its size, for which no variable needs a value.
    static func file(of model: Model, sizesOnly: Bool = false) throws(GraftError) -> HDF5Writer {
        let file = HDF5Writer()
        for entry in KerasLayout(model).entries {
            let group = try file.root.makeGroup(entry.variablesPath)
            try group.setAttribute("name", entry.layer.name)
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

    /// The arrays `0`, `1`, … of a group.
    private static func datasets(of group: HDF5Group) throws(GraftError) -> [HDF5Dataset] {
        let count = group.children().count
        var datasets: [HDF5Dataset] = []
        for index in 0..<count { datasets.append(try group.dataset(String(index))) }
        return datasets
    }
}
