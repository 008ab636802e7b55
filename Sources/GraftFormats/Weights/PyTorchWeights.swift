import GraftModel

/// Where the weights of a network are in files that PyTorch's users share.
package struct PyTorchLayout: Sendable {
    /// Whose names these are, for messages: `PyTorch's package efficientnet_lite_pytorch`.
    package let package: String
    /// The module of each layer that has weights, its top's included: `["stem_conv": "_conv_stem"]`.
    package let modules: [String: String]

    /// The modules of a package's network.
    package init(package: String, modules: [String: String]) { (self.package, self.modules) = (package, modules) }
}

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
        let file = try SafetensorsFile(reading: path)
        var assignment = WeightAssignment(path: path)
        var match = NameMatch(file)
        for layer in layers where !layer.variables.isEmpty {
            guard let module = layout.modules[layer.name], let arrays = layer.pyTorchArrays else {
                assignment.addProblem("the names of \(layout.package) have no array for the layer \(layer.name)")
                continue
            }
            let stored = arrays.compactMap { match.stored($0, of: module) }
            guard stored.count == arrays.count else { continue }
            assignment.match(arrays.map(\.variable), with: stored, layer: layer.name, storedAs: module)
        }
        let names = Set(layers.map(\.name))
        match.report(leftOut: layout.modules.filter { !names.contains($0.key) }.map(\.value), to: &assignment)
        return try assignment.finish()
    }
}

/// Which of a file's arrays a model takes.
private struct NameMatch {
    private let file: SafetensorsFile
    private var unused: [String: SafetensorsFile.Entry]
    private var missing: [String] = []
    private var misshapen: [String] = []

    init(_ file: SafetensorsFile) {
        self.file = file
        unused = Dictionary(file.arrays.map { ($0.name, $0) }) { first, _ in first }
    }

    /// The stored array for a variable, its axes turned; `nil`, and remembered, where there is none that fits.
    mutating func stored(_ array: PyTorchArray, of module: String) -> StoredArray? {
        let name = "\(module).\(array.name)"
        guard let entry = unused.removeValue(forKey: name) else {
            missing.append(name)
            return nil
        }
        guard entry.shape == array.storedShape else {
            misshapen.append("\(name) has the shape \(entry.shape), this model needs \(array.storedShape)")
            return nil
        }
        let file = file
        return StoredArray(shape: array.variable.shape) { () throws(GraftError) in
            array.turned(try file.tensor(name))
        }
    }

    /// Tells what does not fit; counters, and what belongs to modules that the model leaves out, are passed over.
    func report(leftOut modules: [String], to assignment: inout WeightAssignment) {
        if !missing.isEmpty { assignment.addProblem("the file lacks \(Self.listed(missing))") }
        let leftOut = unused.keys.filter { name in modules.contains { name.hasPrefix($0 + ".") } }
        if !leftOut.isEmpty {
            assignment.note("the model has no layer for \(Self.listed(leftOut.sorted()))")
        }
        let strangers = Set(unused.keys).subtracting(leftOut).filter {
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
