import Foundation
import GraftModel

/// The member `graft.json` of a saved model: what Keras has no place for.
///
/// ```json
/// {"format_version": 1, "metadata": {"class_names": ["cats", "dogs"], "image": {"height": 150, …}},
///  "layers": {"frozen_statistics": ["batch_normalization", …], "fixed": ["bgr"]}}
/// ```
///
/// `layers` names the normalizations whose statistics stay while they train, and the layers that hold constants; it is
/// left out where there are none, and a model that Keras wrote has none.
///
/// Fields that a later Graft adds are passed over; a higher `format_version` means that passing over would be wrong.
struct GraftMember: Equatable {
    static let name = "graft.json"
    static let formatVersion = 1

    let metadata: ModelMetadata
    let layers: LayerFlags

    init(_ metadata: ModelMetadata, layers: LayerFlags = LayerFlags()) {
        (self.metadata, self.layers) = (metadata, layers)
    }

    /// Reads the member.
    ///
    /// - Throws: `.format` where it is not what Graft writes, or of a later version.
    init(json bytes: [UInt8]) throws(GraftError) {
        let content = try Configuration(json: bytes)
        guard let version = content["format_version"]?.integer, let members = content["metadata"] else {
            throw GraftError(.format, "\(Self.name) has no format_version or no metadata")
        }
        guard version <= Self.formatVersion else {
            throw GraftError(
                .format,
                "\(Self.name) is of version \(version), this Graft reads up to \(Self.formatVersion); use a newer one")
        }
        do throws(GraftError) {
            metadata = try ModelMetadata(stored: members)
            layers =
                try content["layers"].map { (flags) throws(GraftError) in try LayerFlags(stored: flags) }
                ?? LayerFlags()
        } catch {
            throw GraftError(.format, "\(Self.name) cannot be understood: \(error.message)")
        }
    }

    /// The member's text, one field a line.
    func json() throws(GraftError) -> [UInt8] {
        do {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            var content: [String: Configuration] = [
                "format_version": .int(Self.formatVersion),
                "metadata": try Configuration(json: Array(encoder.encode(metadata))),
            ]
            if !layers.isEmpty { content["layers"] = try Configuration(json: Array(encoder.encode(layers))) }
            return Configuration.object(content).json(pretty: true)
        } catch {
            throw GraftError(.state, "the model's metadata cannot be written", cause: error)
        }
    }
}

extension ModelMetadata {
    /// Reads what a file has, member by member and as it lies: files may be hostile, and `JSONDecoder` takes a hundred times
    /// the memory.
    fileprivate init(stored: Configuration) throws(GraftError) {
        let members = try stored.expect(stored.members, "an object")
        self.init(
            classNames: try members.texts("class_names"),
            outputActivation: try members.optional("output_activation", "softmax or sigmoid") {
                $0.text.flatMap(OutputActivation.init(rawValue:))
            })
        run = try members.optional("run", "a text", \.text)
        task = try members.optional("task", "a text", \.text)
        storedSplit = try members.optional("split", "an object", \.members).map { .object($0) }
        storedCalibration = try members.optional("calibration", "an object", \.members).map { .object($0) }
        if let image = try members.optional("image", "an object", \.members) {
            storedInputRule = ["image": .object(image)]
        } else {
            storedInputRule = try members.optional("input_rule", "an object", \.members).map { .object($0) }
        }
    }
}

extension LayerFlags {
    fileprivate init(stored: Configuration) throws(GraftError) {
        let members = try stored.expect(stored.members, "an object")
        self.init(
            frozenStatistics: try members.texts("frozen_statistics") ?? [], fixed: try members.texts("fixed") ?? [])
    }
}

extension [String: Configuration] {
    /// A member that may be missing or `null`.
    fileprivate func optional<Read>(
        _ key: String, _ expected: String, _ read: (Configuration) -> Read?
    ) throws(GraftError) -> Read? {
        guard let member = self[key], !member.isNull else { return nil }
        do throws(GraftError) { return try member.expect(read(member), expected) } catch { throw error.named(key) }
    }

    fileprivate func texts(_ key: String) throws(GraftError) -> [String]? {
        try optional(key, "a list of texts") { member in
            guard let elements = member.elements else { return nil }
            let texts = elements.compactMap(\.text)
            return texts.count == elements.count ? texts : nil
        }
    }
}

extension GraftError {
    /// The same failure with the name of what is wrong in front.
    fileprivate func named(_ name: String) -> GraftError { GraftError(code, "\(name) \(message)", cause: cause) }
}
