/// What stands for places outside of an image, where something looks there; Keras's `fill_mode`, with its names.
public enum FillMode: String, Codable, Hashable, Sendable, CaseIterable {
    /// The nearest pixel of the border: `aaaa|abcd|dddd`.
    case nearest
    /// The image mirrored at its border: `dcba|abcd|dcba`.
    case reflect
    /// A constant: `kkkk|abcd|kkkk`.
    case constant
    /// The image again: `abcd|abcd|abcd`.
    case wrap
}
