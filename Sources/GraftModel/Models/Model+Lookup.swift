extension Model {
    /// The layer of this name; `base/mixed7` is the layer `mixed7` inside the model `base` inside this one.
    ///
    /// - Throws: ``GraftError`` with code `argument` where there is none; the message names those that are nearest.
    public final func layer(named name: String) throws(GraftError) -> Layer {
        let layers = sublayers
        if let layer = layers.first(where: { $0.name == name }) { return layer }
        for case let model as Model in layers where name.hasPrefix(model.name + "/") {
            return try model.layer(named: String(name.dropFirst(model.name.count + 1)))
        }
        let nearest = NearestNames.find(name, among: layers.map(\.name))
        let hint = nearest.isEmpty ? "it has no layers" : "nearest: \(nearest.joined(separator: ", "))"
        throw GraftError(.argument, "the model \(self.name) has no layer called \(name); \(hint)")
    }
}

/// Names that look like one that does not exist.
package enum NearestNames {
    /// Up to `limit` of the candidates, fewest edits first.
    package static func find(_ name: String, among candidates: [String], limit: Int = 3) -> [String] {
        let target = Array(name.lowercased().unicodeScalars.prefix(64))
        let distances = candidates.map { distance(target, Array($0.lowercased().unicodeScalars.prefix(64))) }
        let order = candidates.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }
        return order.prefix(limit).map { candidates[$0] }
    }

    /// The Levenshtein distance: the fewest insertions, deletions and replacements from one to the other.
    package static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var previous = Array(0...right.count)
        for (row, scalar) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                let replaced = previous[column] + (scalar == other ? 0 : 1)
                current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[right.count]
    }
}
