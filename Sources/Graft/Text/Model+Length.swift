import GraftFormats
import GraftModel

extension Model {
    /// The same network for texts of another length, with the same weights: what short texts run on, so that they cost little.
    ///
    /// No weight of an encoder depends on the length but the table of positions, which is as long as it was learned. What depends on
    /// it is in the configuration: the inputs' shapes, the mask's, and the list of positions.
    ///
    /// - Parameter length: fewer tokens than the model takes.
    /// - Throws: `GraftError` with code `format` for a model that cannot be made for another length.
    func shortened(to length: Int) throws(GraftError) -> Model {
        guard let own = inputs.first?.shape, own.rank == 1, length <= own[0] else {
            throw GraftError(.format, "the model \(name) takes \(inputs), and no texts of one length")
        }
        guard length < own[0] else { return self }
        let change = LengthChange(from: own[0], to: length)
        let model = try Model.deserialize(change.layer(serialized))
        try model.setWeights(weights)
        model.metadata = metadata
        return model
    }
}

/// Rewrites a model's configuration for another length of its texts.
private struct LengthChange {
    let old: Int
    let new: Int

    init(from old: Int, to new: Int) { (self.old, self.new) = (old, new) }

    /// A model, a layer, or anything inside of one.
    func layer(_ value: Configuration) -> Configuration {
        switch value {
        case .object(let members):
            let className = members["class_name"]?.text
            return .object(
                members.mapValues(layer).merging(changes(of: className, members)) { _, changed in changed })
        case .array(let elements):
            return isPositions(elements) ? .array(Array(elements.prefix(new))) : .array(elements.map(layer))
        default: return value
        }
    }

    /// What the length stands in, by the kind of layer.
    private func changes(of className: String?, _ members: [String: Configuration]) -> [String: Configuration] {
        guard var config = members["config"]?.members else { return [:] }
        config = config.mapValues(layer)
        switch className {
        case "InputLayer":
            config["batch_shape"] = config["batch_shape"].map { sizes($0) }
        case "Reshape":
            config["target_shape"] = config["target_shape"].map { sizes($0) }
        default: return [:]
        }
        return ["config": .object(config)]
    }

    /// Sizes of which those that are the length change.
    private func sizes(_ value: Configuration) -> Configuration {
        guard let elements = value.elements else { return value }
        return .array(elements.map { $0.integer == old ? .int(new) : $0 })
    }

    /// Whether a list counts the positions of a text: as many numbers as it has tokens, one after the other.
    private func isPositions(_ elements: [Configuration]) -> Bool {
        guard elements.count == old, old > 1, let first = elements[0].integer else { return false }
        return elements.enumerated().allSatisfy { $1.integer == first + $0 }
    }
}
