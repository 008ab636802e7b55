import GraftModel

/// Where the weights of a network are in files that PyTorch's users share.
package struct PyTorchLayout: Sendable {
    /// Whose names these are, for messages: `PyTorch's package efficientnet_lite_pytorch`.
    package let package: String
    /// The module of each layer that has weights, its top's included: `["stem_conv": "_conv_stem"]`. A projection of attention has
    /// a module of its own, under the layer's name and its role: `layer1_attention/query`.
    package let modules: [String: PyTorchModule]
    /// What all names may begin with in files of larger models, such as `bert.`.
    package var prefixes: [String] = []
    /// Beginnings of names of what other models have on top, and this network has no place for.
    package var passedOver: [String] = []

    /// The modules of a package's network.
    package init(package: String, modules: [String: PyTorchModule]) {
        (self.package, self.modules) = (package, modules)
    }

    /// The modules of a package's network, each by its name alone.
    package init(package: String, modules: [String: String]) {
        self.init(package: package, modules: modules.mapValues { PyTorchModule($0) })
    }

    /// How many of its modules a file has: what tells layouts of one network apart.
    func moduleCount(in file: SafetensorsFile) -> Int {
        let (prefix, names) = (prefix(in: file), Set(file.arrays.map(\.name)))
        let owners = Set(names.map { Self.owner(of: $0[...]) })
        return modules.values.filter { names.contains(prefix + $0.name) || owners.contains(prefix + $0.name) }.count
    }

    /// What the names of a file begin with.
    func prefix(in file: SafetensorsFile) -> String {
        let wanted = Set(modules.values.map(\.name))
        return prefixes.first { prefix in
            file.arrays.contains { array in
                guard array.name.hasPrefix(prefix) else { return false }
                let rest = array.name.dropFirst(prefix.count)
                return wanted.contains(String(rest)) || wanted.contains(Self.owner(of: rest))
            }
        } ?? ""
    }

    /// `layer.0.weight` → `layer.0`
    private static func owner(of name: Substring) -> String {
        name.lastIndex(of: ".").map { String(name[..<$0]) } ?? ""
    }
}

/// A module of PyTorch's, as far as it holds a layer's weights.
package struct PyTorchModule: Sendable, Hashable, ExpressibleByStringLiteral {
    /// Its name, `encoder.layer.0.attention.self.query`; of an array that belongs to no module, the array's.
    package let name: String
    /// The module whose arrays are taken where a file has none of this one, as where an output layer is tied to the embedding.
    var fallback: String?
    /// What the arrays are called in it, by Keras's names of the variables; the usual names for those that are not here. The first
    /// one that the file has is taken; an empty one is the module's own name.
    var names: [String: [String]] = [:]
    /// Which of several equal parts of the arrays the layer has, along their axis of outputs.
    var part: Part?
    /// Whether matrices are (in, out), as in GPT-2's `Conv1D`, not (out, in).
    var isTurned = false
    /// The grid that learned positions are brought to, where they were learned on another one.
    var grid: Grid?
    /// The places of an image that learned positions stand for, behind one for the whole image.
    package struct Grid: Hashable, Sendable {
        let rows: Int
        let columns: Int
        /// Whether a smaller grid is made by averaging all positions that a place covers, as timm does it.
        let antialiases: Bool

        package init(rows: Int, columns: Int, antialiases: Bool) {
            (self.rows, self.columns, self.antialiases) = (rows, columns, antialiases)
        }
    }

    /// One of several equal parts.
    struct Part: Hashable {
        let index: Int
        let count: Int
    }

    /// A module whose arrays have the usual names.
    package init(_ name: String) { self.name = name }

    /// A module whose arrays have the usual names.
    package init(stringLiteral name: String) { self.init(name) }

    /// One array that belongs to no module.
    package static func array(_ name: String) -> Self { Self(name).naming([""]) }

    /// The module with other names for its one array of weights.
    package func naming(_ weights: [String]) -> Self {
        var result = self
        for variable in ["kernel", "gamma", "embeddings", "scale", "variable"] { result.names[variable] = weights }
        return result
    }

    /// The module with other names for a bias.
    package func namingBias(_ names: [String]) -> Self {
        var result = self
        for variable in ["bias", "beta"] { result.names[variable] = names }
        return result
    }

    /// The part of the module that is one of several, as the query is the first of a projection to query, key and value.
    package func part(_ index: Int, of count: Int) -> Self {
        var result = self
        result.part = Part(index: index, count: count)
        return result
    }

    /// The same under another name.
    package func renamed(_ name: String) -> Self {
        var result = Self(name)
        (result.names, result.part, result.isTurned, result.grid) = (names, part, isTurned, grid)
        result.fallback = fallback
        return result
    }

    /// The module with another one whose arrays are taken where a file has none of it.
    package func orElse(_ fallback: String) -> Self {
        var result = self
        result.fallback = fallback
        return result
    }

    /// The array with learned positions brought to a grid.
    package func resampled(to grid: Grid) -> Self {
        var result = self
        result.grid = grid
        return result
    }

    /// The module with matrices as Keras has them.
    package var turned: Self {
        var result = self
        result.isTurned = true
        return result
    }
}
