extension Model {
    /// Freezes the model and all layers inside: their variables stay as they are, bit for bit.
    public final func freeze() { trainable = false }

    /// Unfreezes the model and all layers inside.
    public final func unfreeze() { trainable = true }

    /// Unfreezes the layer of this name and all that come after it in ``layers``; those before stay as they are.
    ///
    /// - Throws: ``GraftError`` with code `argument` where no layer is called so.
    public final func unfreeze(from name: String) throws(GraftError) {
        let first = try layer(named: name)
        guard let start = layers.firstIndex(where: { $0 === first }) else {
            return try unfreezeInside(from: name)
        }
        setOwnTrainable(true)
        for layer in layers[start...] { layer.trainable = true }
    }

    /// Freezes the layers that fulfil the condition, and leaves the others as they are.
    public final func freeze(where condition: (Layer) throws -> Bool) rethrows {
        for layer in layers where try condition(layer) { layer.trainable = false }
    }

    /// The layer stands inside a model of this one: `base/mixed5`.
    private func unfreezeInside(from name: String) throws(GraftError) {
        for (position, layer) in layers.enumerated() {
            guard let model = layer as? Model, name.hasPrefix(model.name + "/") else { continue }
            try model.unfreeze(from: String(name.dropFirst(model.name.count + 1)))
            setOwnTrainable(true)
            for later in layers[(position + 1)...] { later.trainable = true }
            return
        }
    }
}
