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
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            metadata = try decoder.decode(ModelMetadata.self, from: Data(members.json()))
            layers =
                try content["layers"].map { try decoder.decode(LayerFlags.self, from: Data($0.json())) } ?? LayerFlags()
        } catch {
            throw GraftError(.format, "\(Self.name) cannot be understood", cause: error)
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
