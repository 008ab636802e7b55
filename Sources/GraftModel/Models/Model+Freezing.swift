extension Model {
    /// Freezes the model and all layers inside: their variables stay as they are, bit for bit.
    public final func freeze() { trainable = false }

    /// Unfreezes the model and all layers inside, but for those that hold constants (see ``Layer/trainable``).
    /// Normalizations keep their ``BatchNormalization/statistics``.
    public final func unfreeze() { trainable = true }

    /// Unfreezes the layer of this name and all that come after it in ``layers``; those before stay as they are.
    ///
    /// - Throws: ``GraftError`` with code `argument` where no layer is called so.
    public final func unfreeze(from name: String) throws(GraftError) {
        let part = try part(from: name)
        for holder in part.holders { holder.setOwnTrainable(true) }
        for layer in part.layers { layer.trainable = true }
    }

    /// The variables that training would change after ``unfreeze(from:)``, or after ``unfreeze()`` where the name is `nil`.
    /// Nothing is unfrozen.
    ///
    /// - Throws: ``GraftError`` with code `argument` where no layer is called so.
    public final func trainableVariables(unfreezingFrom name: String?) throws(GraftError) -> [Variable] {
        var part: (layers: [Layer], holders: [Model]) = ([self], [])
        if let name { part = try self.part(from: name) }
        return trainableVariables(
            unfreezing: Set(part.layers.map(ObjectIdentifier.init)),
            inside: Set(part.holders.map(ObjectIdentifier.init)))
    }

    /// Freezes the layers that fulfil the condition, and leaves the others as they are.
    public final func freeze(where condition: (Layer) throws -> Bool) rethrows {
        for layer in layers where try condition(layer) { layer.trainable = false }
    }

    /// Unfreezes the layers that fulfil the condition, and leaves the others as they are.
    public final func unfreeze(where condition: (Layer) throws -> Bool) rethrows {
        for layer in layers where try condition(layer) {
            setOwnTrainable(true)
            layer.trainable = true
        }
    }

    /// Freezes the layers from the first of these names to the last, both included, in the order of ``layers``.
    ///
    /// - Throws: ``GraftError`` with code `argument` where no layer is called so, or the last comes before the first.
    public final func freeze(from first: String, through last: String) throws(GraftError) {
        for layer in layers[try range(from: first, through: last)] { layer.trainable = false }
    }

    /// Unfreezes the layers from the first of these names to the last, both included, in the order of ``layers``.
    ///
    /// - Throws: ``GraftError`` with code `argument` where no layer is called so, or the last comes before the first.
    public final func unfreeze(from first: String, through last: String) throws(GraftError) {
        let range = try range(from: first, through: last)
        setOwnTrainable(true)
        for layer in layers[range] { layer.trainable = true }
    }

    /// Freezes the layers whose names match a pattern in which `*` stands for any characters and `?` for one:
    /// `conv2d*`, `mixed?`. The layers of models inside are matched by their paths, `base/mixed5`.
    ///
    /// - Returns: how many layers match.
    /// - Throws: ``GraftError`` with code `argument` where none does.
    @discardableResult
    public final func freeze(matching pattern: String) throws(GraftError) -> Int {
        let matches = try matches(of: pattern)
        for (layer, _) in matches { layer.trainable = false }
        return matches.count
    }

    /// Unfreezes the layers whose names match a pattern, as ``freeze(matching:)`` reads it.
    ///
    /// - Returns: how many layers match.
    /// - Throws: ``GraftError`` with code `argument` where none does.
    @discardableResult
    public final func unfreeze(matching pattern: String) throws(GraftError) -> Int {
        let matches = try matches(of: pattern)
        setOwnTrainable(true)
        for (layer, holders) in matches {
            for holder in holders { holder.setOwnTrainable(true) }
            layer.trainable = true
        }
        return matches.count
    }

    /// Chooses for all normalizations inside what they normalize with while they train; takes effect at the next `fit`.
    ///
    /// `base.setStatistics(.updating)` lets the statistics of a base with published weights follow the new images.
    public final func setStatistics(_ statistics: NormalizationStatistics) {
        for layer in sublayers {
            (layer as? BatchNormalization)?.statistics = statistics
            (layer as? Model)?.setStatistics(statistics)
        }
    }

    private func range(from first: String, through last: String) throws(GraftError) -> ClosedRange<Int> {
        let ends = [try layer(named: first), try layer(named: last)].map { end in layers.firstIndex { $0 === end } }
        guard let start = ends[0], let end = ends[1] else {
            throw GraftError(
                .argument, "\(first) and \(last) stand in models inside \(name); call the model they are in")
        }
        guard start <= end else {
            throw GraftError(.argument, "in the model \(name) the layer \(last) comes before \(first); change places")
        }
        return start...end
    }

    /// The layers that match, each with the models inside this one that hold it.
    private func matches(of pattern: String) throws(GraftError) -> [(layer: Layer, holders: [Model])] {
        let pattern = NamePattern(pattern)
        let matches = layersWithPaths.filter { pattern.matches($0.path) }.map { ($0.layer, $0.holders) }
        guard !matches.isEmpty else {
            throw GraftError(
                .argument, "no layer of the model \(name) matches \(pattern.text); see its summary for names")
        }
        return matches
    }

    /// The layer of this name with all that come after it, and the models that hold them. A layer of a model inside,
    /// `base/mixed5`, takes what comes after that model too.
    private func part(from name: String) throws(GraftError) -> (layers: [Layer], holders: [Model]) {
        let first = try layer(named: name)
        if let start = layers.firstIndex(where: { $0 === first }) { return (Array(layers[start...]), [self]) }
        for (position, layer) in layers.enumerated() {
            guard let model = layer as? Model, name.hasPrefix(model.name + "/") else { continue }
            let inner = try model.part(from: String(name.dropFirst(model.name.count + 1)))
            return (inner.layers + layers[(position + 1)...], inner.holders + [self])
        }
        return ([], [])
    }
}

extension Layer {
    /// As ``trainableVariables``, if these layers, with all inside, and the models that hold them were unfrozen.
    fileprivate func trainableVariables(
        unfreezing layers: Set<ObjectIdentifier>, inside holders: Set<ObjectIdentifier>, isUnfrozen: Bool = false
    ) -> [Variable] {
        let isUnfrozen = isUnfrozen || layers.contains(ObjectIdentifier(self))
        let trains = trainable || isUnfrozen || holders.contains(ObjectIdentifier(self))
        guard trains, !isPermanentlyFrozen else { return [] }
        let inside = sublayers.flatMap {
            $0.trainableVariables(unfreezing: layers, inside: holders, isUnfrozen: isUnfrozen)
        }
        return unique(ownVariables.filter(\.trainable) + inside)
    }
}
