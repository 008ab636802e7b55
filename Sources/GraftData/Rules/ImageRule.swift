import GraftGraph

/// How an image becomes a tensor: decoded to so many channels, brought to a height and width, values 0 to 255.
public struct ImageRule: Codable, Hashable, Sendable {
    /// Rows.
    public var height: Int
    /// Columns.
    public var width: Int
    /// 3 for RGB, 1 for grey.
    public var channels: Int
    /// How the size is changed.
    public var resize: ResizeMethod
    /// What becomes of an image whose sides have another proportion.
    public var fit: ImageFit
    /// The stored values that become 0 to 255; `nil` for all, and for the window that a DICOM file suggests.
    public var window: IntensityWindow?
    /// Whether colours are left out: three channels are alike then.
    public var isGrey: Bool

    /// A rule; three channels, Keras's resize and the whole image, stretched, by default.
    public init(
        height: Int, width: Int, channels: Int = 3, resize: ResizeMethod = .keras, fit: ImageFit = .stretch,
        window: IntensityWindow? = nil, isGrey: Bool = false
    ) {
        (self.height, self.width, self.channels, self.resize) = (height, width, channels, resize)
        (self.fit, self.window, self.isGrey) = (fit, window, isGrey)
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
    /// As `antialias`, of a JPEG that is decoded at a half, a quarter or an eighth of its size where that is still twice the new
    /// size: several times as fast on photos of megapixels, and **not Keras's numbers**.
    case reduced
    /// The nearest pixel, as Keras's older `load_img` does it.
    case nearest
}

/// What becomes of an image whose sides have another proportion than the network's input.
public enum ImageFit: String, Codable, Hashable, Sendable, CaseIterable {
    /// The whole image, stretched or squeezed along one axis: Keras's default. Nothing is lost, shapes change.
    case stretch
    /// The whole image in the middle, with black beside it: Keras's `pad_to_aspect_ratio`. Nothing is lost, shapes stay.
    case pad
    /// The largest part in the middle that has the proportion: Keras's `crop_to_aspect_ratio`. **Two edges are lost.**
    case crop
}
