import GraftGraph

/// How augmented views of an image differ from it: a recipe of random flips, turns, crops and colours.
///
/// The text form is a list of parts, `flip,rotate:40,shift:0.2,shear:0.2,zoom:0.2,crop:0.3:1`; see ``init(_:)``. A recipe
/// is stored as that text.
///
/// Geometry takes place in the frame of the resized image, about its centre, as in Keras where augmentation follows the
/// resize; but all of it and the resize are one affine map and one bilinear interpolation, straight from the decoded image.
/// A pixel of the view is taken through flip, then crop, then rotation · shift · shear · zoom (Keras's order in
/// `ImageDataGenerator`), to a place in the image. Colour follows on the values 0 to 255, in the order brightness, contrast,
/// saturation, hue, grayscale, erasing, clipped to that range.
///
/// Every parameter is drawn for each view by itself, uniformly in its range. Colours other than brightness and contrast do
/// not change images of one channel.
///
/// Sources: keras/src/legacy/preprocessing/image.py and keras/src/layers/preprocessing/image_preprocessing, version 3.15.
public struct Augmentation: Hashable, Sendable {
    /// The probability, 0…1, that left and right change places; default 0. Keras: `RandomFlip("horizontal")` with 0.5.
    public var horizontalFlip = 0.0
    /// The probability, 0…1, that top and bottom change places; default 0. Keras: `RandomFlip("vertical")` with 0.5.
    public var verticalFlip = 0.0
    /// The largest rotation in degrees, 0…180, either way; default 0. Keras: `rotation_range`; `RandomRotation(r)` with
    /// `360 · r`.
    public var rotation = 0.0
    /// The largest shift as a fraction of the width, 0…1, either way; default 0. Keras: `width_shift_range`;
    /// `RandomTranslation`'s `width_factor`.
    public var horizontalShift = 0.0
    /// The largest shift as a fraction of the height, 0…1, either way; default 0. Keras: `height_shift_range`;
    /// `RandomTranslation`'s `height_factor`.
    public var verticalShift = 0.0
    /// The largest shear angle in degrees, 0…80, either way; default 0. Keras: `shear_range`, which is in degrees too, so
    /// that the usual 0.2 is hardly to be seen.
    public var shear = 0.0
    /// The range of the zoom, 0.01…100; default 1…1. Below 1 the image appears larger. Height and width have a zoom each.
    /// Keras: `zoom_range`, where `z` is `1 − z … 1 + z`.
    public var zoom = 1.0...1.0
    /// The range of the area of a crop that becomes the view, as a fraction of the image's area, 0.01…1; `nil`, the default,
    /// crops nothing. Keras: `RandomResizedCrop`'s `scale`.
    public var cropArea: ClosedRange<Double>?
    /// The range of a crop's width by height, relative to the image's, 0.1…10, drawn uniformly in its logarithm; default
    /// 3/4…4/3. Narrower where the crop would not fit into the image. Keras: `RandomResizedCrop`'s `ratio`.
    public var cropAspect = Self.defaultCropAspect
    /// The largest number that is added to all values, as a fraction of 255, 0…1, either way; default 0. Keras:
    /// `RandomBrightness`.
    public var brightness = 0.0
    /// The largest change of contrast, 0…1; default 0. Values become `(x − mean) · f + mean`, with the mean of each channel
    /// over the view and `f` in `1 − c … 1 + c`. Keras: `RandomContrast`.
    public var contrast = 0.0
    /// The largest change of saturation, 0…1; default 0. HSV's S is multiplied by `1 − s … 1 + s`. Keras:
    /// `RandomSaturation` with `factor` from `(1 − s)/(2 − s)` to `(1 + s)/(2 + s)`.
    public var saturation = 0.0
    /// The largest change of hue as a fraction of the colour circle, 0…0.5, either way; default 0. Keras: `RandomHue` with
    /// twice this number.
    public var hue = 0.0
    /// The probability, 0…1, that colours become grey; default 0. Keras: `RandomGrayscale`.
    public var grayscale = 0.0
    /// The probability, 0…1, that a rectangle of 2 to 33 % of the view is filled with 127.5, its width by height in 0.3…3.3;
    /// default 0. Keras: `RandomErasing`. Source: Zhong et al., "Random erasing data augmentation", arXiv:1708.04896.
    public var erasing = 0.0
    /// Operations that are drawn at random for each view: RandAugment or TrivialAugment; default `nil`. What moves or shears
    /// comes before the rest of the view's geometry, as if the view were drawn and then changed; colours change after
    /// ``grayscale``, on values rounded to 8 bits.
    public var policy: AugmentationPolicy?
    /// What lies outside of the image; default `nearest`. Keras: `fill_mode`.
    public var fill = FillMode.nearest
    /// The value outside of the image, 0…255, where ``fill`` is `constant`; default 0. Keras: `cval`.
    public var fillValue = 0.0

    static let defaultCropAspect = 3.0 / 4...4.0 / 3

    /// A recipe that changes nothing; set what is to change.
    public init() {}

    /// The recipe of Keras's tutorial on few images: `ImageDataGenerator(rotation_range=40, width_shift_range=0.2,
    /// height_shift_range=0.2, shear_range=0.2, zoom_range=0.2, horizontal_flip=True, fill_mode="nearest")`.
    public static let imageDataGenerator: Augmentation = {
        var recipe = Augmentation()
        recipe.horizontalFlip = 0.5
        recipe.rotation = 40
        (recipe.horizontalShift, recipe.verticalShift) = (0.2, 0.2)
        recipe.shear = 0.2
        recipe.zoom = 0.8...1.2
        return recipe
    }()

    /// Whether every view is the image itself.
    public var isIdentity: Bool {
        var bare = self
        (bare.fill, bare.fillValue, bare.cropAspect) = (.nearest, 0, Self.defaultCropAspect)
        return bare == Augmentation()
    }

    /// - Throws: `GraftError` with code `argument` for a parameter out of its range.
    public func validate() throws(GraftError) {
        for (name, value, range) in bounds where !range.contains(value) {
            throw GraftError(
                .argument,
                "the augmentation's \(name) is \(value); it must lie in \(range.lowerBound)…\(range.upperBound)")
        }
    }

    private var bounds: [(name: String, value: Double, range: ClosedRange<Double>)] {
        [
            ("horizontal flip", horizontalFlip, 0...1), ("vertical flip", verticalFlip, 0...1),
            ("rotation", rotation, 0...180), ("horizontal shift", horizontalShift, 0...1),
            ("vertical shift", verticalShift, 0...1), ("shear", shear, 0...80),
            ("smallest zoom", zoom.lowerBound, 0.01...100), ("largest zoom", zoom.upperBound, 0.01...100),
            ("smallest crop", cropArea?.lowerBound ?? 1, 0.01...1),
            ("largest crop", cropArea?.upperBound ?? 1, 0.01...1),
            ("smallest aspect of a crop", cropAspect.lowerBound, 0.1...10),
            ("largest aspect of a crop", cropAspect.upperBound, 0.1...10),
            ("brightness", brightness, 0...1), ("contrast", contrast, 0...1), ("saturation", saturation, 0...1),
            ("hue", hue, 0...0.5), ("grayscale", grayscale, 0...1), ("erasing", erasing, 0...1),
            ("fill value", fillValue, 0...255),
        ] + policyBounds
    }

    private var policyBounds: [(name: String, value: Double, range: ClosedRange<Double>)] {
        guard case .randAugment(let operations, let magnitude) = policy else { return [] }
        return [
            ("number of RandAugment's operations", Double(operations), 1...14),
            ("magnitude of RandAugment", Double(magnitude), 0...Double(AugmentationPolicy.largestBin)),
        ]
    }
}
