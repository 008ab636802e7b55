import GraftModel

/// Weights in PyTorch's layout in a safetensors file: arrays are matched **by name**, and their axes turned to Keras's
/// order (see ``PyTorchArray``).
///
/// PyTorch's counter `num_batches_tracked` is passed over: nothing is computed from it. So is what belongs to layers
/// that the model leaves out, a top for instance. Anything else that has no place in the model is a misfit.
package enum PyTorchWeights {
    /// Fills layers with the weights of a file: all of them, or where anything does not fit, none.
    ///
    /// - Returns: What was loaded.
    /// - Throws: `.file` and `.format` as ``SafetensorsFile``; `.weights` saying all at once what is missing, what has
    ///   no place, and which shapes differ.
    @discardableResult
    package static func load(
        from path: String, into layers: [Layer], layout: PyTorchLayout
    ) throws(GraftError) -> WeightReport {
        try load(from: SafetensorsFile(reading: path), into: layers, layout: layout)
    }

    /// The same with the one of several packages' layouts whose names, and then whose shapes, fit the file best.
    @discardableResult
    package static func load(
        from path: String, into layers: [Layer], layouts: [PyTorchLayout]
    ) throws(GraftError) -> WeightReport {
        let file = try SafetensorsFile(reading: path)
        let counts = layouts.map { $0.moduleCount(in: file) }
        var failure: GraftError?
        for (layout, count) in zip(layouts, counts) where count == counts.max() {
            do throws(GraftError) {
                return try load(from: file, into: layers, layout: layout)
            } catch {
                guard error.code == .weights else { throw error }
                failure = failure ?? error
            }
        }
        throw failure
            ?? GraftError(.weights, "\(path): no names of a safetensors file are known for this network")
    }

    private static func load(
        from file: SafetensorsFile, into layers: [Layer], layout: PyTorchLayout
    ) throws(GraftError) -> WeightReport {
        let path = file.path
        var assignment = WeightAssignment(path: path)
        var match = NameMatch(file, prefix: layout.prefix(in: file))
        let parts = layers.flatMap(\.weightedParts)
        for layer in parts where !layer.variables.isEmpty {
            guard let module = layout.modules[layer.name], let arrays = layer.pyTorchArrays(of: module) else {
                assignment.addProblem("the names of \(layout.package) have no array for the layer \(layer.name)")
                continue
            }
            let stored = arrays.compactMap { match.stored($0, of: module) }
            guard stored.count == arrays.count else { continue }
            assignment.match(arrays.map(\.variable), with: stored, layer: layer.name, storedAs: module.name)
        }
        let names = Set(parts.map(\.name))
        match.report(
            leftOut: layout.modules.filter { !names.contains($0.key) }.map(\.value.name), layout.passedOver,
            to: &assignment)
        return try assignment.finish()
    }
}

/// Which of a file's arrays a model takes.
private struct NameMatch {
    private let file: SafetensorsFile
    private let prefix: String
    private let entries: [String: SafetensorsFile.Entry]
    private var unused: Set<String>
    private var missing: [String] = []
    private var misshapen: [String] = []

    init(_ file: SafetensorsFile, prefix: String) {
        (self.file, self.prefix) = (file, prefix)
        entries = Dictionary(file.arrays.map { ($0.name, $0) }) { first, _ in first }
        unused = Set(entries.keys)
    }

    /// The stored array for a variable, its axes turned; `nil`, and remembered, where there is none that fits.
    mutating func stored(_ array: PyTorchArray, of module: PyTorchModule) -> StoredArray? {
        // What stands on top of a network in a larger model is without the prefix of the network.
        let owners = [prefix + module.name, module.name] + (module.fallback.map { [prefix + $0] } ?? [])
        let names = owners.flatMap { owner in array.names.map { owner + ($0.isEmpty ? "" : "." + $0) } }
        guard let name = names.first(where: { entries[$0] != nil }), let entry = entries[name] else {
            missing.append(names[0])
            return nil
        }
        unused.remove(name)
        guard array.fits(entry.shape) else {
            misshapen.append("\(name) has the shape \(entry.shape), this model needs \(array.storedShape)")
            return nil
        }
        let file = file
        return StoredArray(shape: array.variable.shape) { () throws(GraftError) in
            array.turned(try file.tensor(name))
        }
    }

    /// Tells what does not fit; counters, and what belongs to modules that the model leaves out, are passed over.
    func report(leftOut modules: [String], _ passedOver: [String], to assignment: inout WeightAssignment) {
        if !missing.isEmpty { assignment.addProblem("the file lacks \(Self.listed(missing))") }
        let leftOut = unused.filter { name in
            modules.contains { name == prefix + $0 || name.hasPrefix(prefix + $0 + ".") }
                || passedOver.contains { name.hasPrefix($0) || name.hasPrefix(prefix + $0) }
        }
        if !leftOut.isEmpty {
            assignment.note("the model has no layer for \(Self.listed(leftOut.sorted()))")
        }
        let strangers = unused.subtracting(leftOut).filter {
            $0 != Self.counter && !$0.hasSuffix("." + Self.counter)
        }
        if !strangers.isEmpty {
            assignment.addProblem("this model has no place for the file's \(Self.listed(strangers.sorted()))")
        }
        if !misshapen.isEmpty { assignment.addProblem(Self.listed(misshapen)) }
    }

    /// How many batches a normalization has seen.
    private static let counter = "num_batches_tracked"

    private static func listed(_ names: [String]) -> String {
        let shown = names.prefix(8).joined(separator: ", ")
        return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
    }
}
