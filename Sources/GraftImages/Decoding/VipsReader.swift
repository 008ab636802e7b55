internal import CVips
import GraftData
import GraftGraph

/// Decodes with libvips, through the loader of one known format at a time: its loaders for documents, scripts and
/// plug-ins (SVG, PDF, ImageMagick, …) are never tried on a file.
enum VipsReader {
    /// Decodes the first frame or page to 8 bits a channel.
    ///
    /// - Parameter window: the stored values that become the brightness from black to white; `nil` for all.
    static func read(
        _ bytes: [UInt8], as format: ImageFormat, window: IntensityWindow? = nil
    ) throws(GraftError) -> RawImage {
        try perform(format.rawValue) { () throws(Refusal) in
            try decode(bytes) { (bytes) throws(Refusal) in
                try rawImage(of: toBytes(load(bytes, as: format), window))
            }
        }
    }

    /// What the header says; no pixel is decoded.
    static func facts(of bytes: [UInt8], as format: ImageFormat) throws(GraftError) -> ImageFacts {
        try perform(format.rawValue) { () throws(Refusal) in
            try decode(bytes) { (bytes) throws(Refusal) in
                let loaded = try load(bytes, as: format, checksSize: false)
                return ImageFacts(
                    format: format, width: loaded.width, height: loaded.height,
                    bitsPerChannel: loaded.format == VIPS_FORMAT_UCHAR
                        ? 8 : loaded.format == VIPS_FORMAT_USHORT ? 16 : 32,
                    isCMYK: loaded.interpretation == VIPS_INTERPRETATION_CMYK, frameCount: max(1, loaded.pageCount),
                    orientation: Orientation(rawValue: loaded.orientation) ?? .upright)
            }
        }
    }

    /// An image with all the bits that it has.
    struct DeepImage {
        let height: Int
        let width: Int
        let channels: Int
        /// The bits of a value: 8 or 16, in the machine's order.
        let bitsAllocated: Int
        let bytes: [UInt8]
    }

    /// Decodes JPEG 2000, a file or a bare stream, as a DICOM file has it.
    static func readJPEG2000(_ bytes: [UInt8]) throws(GraftError) -> DeepImage {
        try perform("JPEG 2000") { () throws(Refusal) in
            try decode(bytes) { (bytes) throws(Refusal) in try deepImage(of: loadJPEG2000(bytes)) }
        }
    }

    /// Runs work of libvips; a failure names the format.
    private static func perform<Value>(
        _ format: String, _ work: () throws(Refusal) -> Value
    ) throws(GraftError) -> Value {
        do throws(GraftError) {
            let outcome = try VipsLibrary.perform { () -> Result<Value, GraftError>? in
                do throws(Refusal) {
                    return .success(try work())
                } catch {
                    switch error {
                    case .byVips: return nil
                    case .byGraft(let error): return .failure(error)
                    }
                }
            }
            return try outcome.get()
        } catch {
            throw GraftError(.image, "it is not a whole \(format) picture: \(error.message)", cause: error.cause)
        }
    }

    /// Why an image was not decoded: libvips has said so in its error buffer, or the error says it.
    private enum Refusal: Error {
        case byVips
        case byGraft(GraftError)
    }

    /// The buffer must stay where it is while the image is computed from it, row by row.
    private static func decode<Value>(
        _ bytes: [UInt8], _ work: (UnsafeRawBufferPointer) throws(Refusal) -> Value
    ) throws(Refusal) -> Value {
        let result = bytes.withUnsafeBytes { buffer in Result { () throws(Refusal) in try work(buffer) } }
        return try result.get()
    }

    private static func load(
        _ bytes: UnsafeRawBufferPointer, as format: ImageFormat, checksSize: Bool = true
    ) throws(Refusal) -> VipsResult {
        try requireLoader(format.loaderName, for: format.rawValue)
        let loaded = try VipsResult { image in
            switch format {
            case .jpeg: graft_vips_load_jpeg(bytes.baseAddress, bytes.count, image)
            case .png: graft_vips_load_png(bytes.baseAddress, bytes.count, image)
            case .gif: graft_vips_load_gif(bytes.baseAddress, bytes.count, image)
            case .webP: graft_vips_load_webp(bytes.baseAddress, bytes.count, image)
            case .tiff: graft_vips_load_tiff(bytes.baseAddress, bytes.count, image)
            case .heif: graft_vips_load_heif(bytes.baseAddress, bytes.count, image)
            case .bmp, .dicom: -1
            }
        }
        if checksSize { try checkSize(loaded) }
        return loaded
    }

    private static func loadJPEG2000(_ bytes: UnsafeRawBufferPointer) throws(Refusal) -> VipsResult {
        try requireLoader("jp2k", for: "JPEG 2000")
        let loaded = try VipsResult { graft_vips_load_jp2k(bytes.baseAddress, bytes.count, $0) }
        try checkSize(loaded)
        return loaded
    }

    private static func requireLoader(_ name: String, for format: String) throws(Refusal) {
        guard graft_vips_has_operation("\(name)load_buffer") != 0 else {
            throw .byGraft(
                GraftError(
                    .image,
                    "this system's libvips \(VipsLibrary.versionText) was built without a loader for "
                        + "\(format); install one that has it, or convert the file to JPEG or PNG"))
        }
    }

    private static func checkSize(_ loaded: VipsResult) throws(Refusal) {
        do throws(GraftError) {
            try ImageDecoder.checkSize(width: loaded.width, height: loaded.height)
        } catch {
            throw .byGraft(error)
        }
    }

    /// Brings what libvips knows (16 bits, floats, CIE colours, CMYK with a profile) to 8-bit grey, RGB or CMYK.
    private static func toBytes(_ result: VipsResult, _ window: IntensityWindow?) throws(Refusal) -> VipsResult {
        if let window, result.interpretation != VIPS_INTERPRETATION_CMYK {
            // DICOM's linear function, as `IntensityWindowFunction` has it; libvips cuts fractions off.
            let scale = 255 / max(window.width - 1, 1)
            let offset = 127.5 - (window.center - 0.5) * scale + 0.5
            return try VipsResult { graft_vips_linear(result.image, scale, offset, $0) }
        }
        switch result.interpretation {
        case VIPS_INTERPRETATION_CMYK where result.hasColourProfile:
            return try VipsResult { graft_vips_to_srgb_by_profile(result.image, $0) }
        case VIPS_INTERPRETATION_sRGB, VIPS_INTERPRETATION_B_W, VIPS_INTERPRETATION_RGB, VIPS_INTERPRETATION_MULTIBAND,
            VIPS_INTERPRETATION_RGB16, VIPS_INTERPRETATION_GREY16, VIPS_INTERPRETATION_CMYK:
            if result.format == VIPS_FORMAT_UCHAR { return result }
            if result.format == VIPS_FORMAT_USHORT {
                return try VipsResult { graft_vips_high_byte(result.image, $0) }
            }
            return try VipsResult { graft_vips_to_srgb(result.image, $0) }
        default:
            return try VipsResult { graft_vips_to_srgb(result.image, $0) }
        }
    }

    /// Computes the pixels and copies them out.
    private static func rawImage(of result: VipsResult) throws(Refusal) -> RawImage {
        let layout: RawImage.Layout
        switch result.channels {
        case 1: layout = .grey
        case 2: layout = .greyAlpha
        case 3: layout = .rgb
        case 4: layout = result.interpretation == VIPS_INTERPRETATION_CMYK ? .cmyk : .rgbAlpha
        default:
            throw .byGraft(
                GraftError(.image, "it has \(result.channels) channels; pictures with 1 to 4 can be read"))
        }
        let bytes = try bytes(of: result, bitsAllocated: result.format == VIPS_FORMAT_UCHAR ? 8 : 0)
        return RawImage(
            height: result.height, width: result.width, layout: layout, pixels: bytes,
            orientation: Orientation(rawValue: result.orientation) ?? .upright)
    }

    private static func deepImage(of result: VipsResult) throws(Refusal) -> DeepImage {
        let bits = [VIPS_FORMAT_UCHAR, VIPS_FORMAT_CHAR].contains(result.format) ? 8 : 16
        guard bits == 8 || [VIPS_FORMAT_USHORT, VIPS_FORMAT_SHORT].contains(result.format) else {
            throw .byGraft(GraftError(.image, "its values have more than 16 bits"))
        }
        return DeepImage(
            height: result.height, width: result.width, channels: result.channels, bitsAllocated: bits,
            bytes: try bytes(of: result, bitsAllocated: bits))
    }

    private static func bytes(of result: VipsResult, bitsAllocated: Int) throws(Refusal) -> [UInt8] {
        var byteCount = 0
        guard let memory = vips_image_write_to_memory(result.image, &byteCount) else { throw .byVips }
        defer { graft_vips_free(memory) }
        let expected = result.width * result.height * result.channels * (bitsAllocated / 8)
        guard byteCount == expected else {
            throw .byGraft(
                GraftError(.image, "libvips delivered \(byteCount) bytes where \(expected) were expected"))
        }
        return [UInt8](UnsafeRawBufferPointer(start: memory, count: byteCount))
    }

    /// Owns a reference to an image of libvips; frees it at the end.
    private final class VipsResult {
        let image: UnsafeMutablePointer<VipsImage>

        /// Takes the image that `make` writes; a result other than 0 means that libvips failed.
        init(_ make: (UnsafeMutablePointer<UnsafeMutablePointer<VipsImage>?>) -> Int32) throws(Refusal) {
            var made: UnsafeMutablePointer<VipsImage>?
            guard make(&made) == 0, let made else {
                if let made { graft_vips_release(made) }
                throw .byVips
            }
            image = made
        }

        deinit { graft_vips_release(image) }

        var width: Int { Int(vips_image_get_width(image)) }
        var height: Int { Int(vips_image_get_height(image)) }
        var channels: Int { Int(vips_image_get_bands(image)) }
        var format: VipsBandFormat { vips_image_get_format(image) }
        var interpretation: VipsInterpretation { vips_image_get_interpretation(image) }
        /// Frames or pages in the file.
        var pageCount: Int { Int(vips_image_get_n_pages(image)) }
        var orientation: Int { Int(vips_image_get_orientation(image)) }
        var hasColourProfile: Bool { vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0 }
    }
}

extension ImageFormat {
    /// What libvips calls the format in the names of its operations.
    var loaderName: String {
        switch self {
        case .jpeg: "jpeg"
        case .png: "png"
        case .bmp: "bmp"
        case .gif: "gif"
        case .webP: "webp"
        case .tiff: "tiff"
        case .heif: "heif"
        case .dicom: "dicom"
        }
    }
}
