extension Model {
    /// The same network with layers and variables of its own.
    package final func copy(registry: LayerRegistry = .standard) throws(GraftError) -> Model {
        let copy = try Model.deserialize(serialized, registry: registry)
        (copy.seed, copy.metadata, copy.layerFlags) = (seed, metadata, layerFlags)
        copy.readingNotes = readingNotes
        return copy
    }
}
