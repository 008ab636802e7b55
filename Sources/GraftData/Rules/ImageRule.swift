import GraftGraph

/// How an image becomes a tensor: decoded to so many channels, resized to a height and width, values 0 to 255.
public struct ImageRule: Codable, Hashable, Sendable {
    /// Rows.
    public var height: Int
    /// Columns.
    public var width: Int
    /// 3 for RGB, 1 for grey.
    public var channels: Int
    /// How the size is changed.
    public var resize: ResizeMethod

    /// A rule; three channels and Keras's resize by default.
    public init(height: Int, width: Int, channels: Int = 3, resize: ResizeMethod = .keras) {
        (self.height, self.width, self.channels, self.resize) = (height, width, channels, resize)
    }

    /// The shape of one image as a tensor: rows, columns, channels.
    public var shape: Shape { [height, width, channels] }
}

/// How an image's size is changed.
public enum ResizeMethod: String, Codable, Hashable, Sendable, CaseIterable {
    /// Bilinear between pixel centres without antialiasing, as `image_dataset_from_directory` does it.
    case keras
    /// Bilinear with antialiasing: each new pixel averages all old ones that it covers.
    case antialias
    /// The nearest pixel, as Keras's older `load_img` does it.
    case nearest
}
