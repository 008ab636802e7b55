internal import CVips
import GraftData
import GraftGraph

/// Decodes with libvips, through the loader of one known format at a time: its loaders for documents, scripts and
/// plug-ins (SVG, PDF, ImageMagick, …) are never tried on a file.
enum VipsReader {
    /// What ``read(_:as:)`` takes, by the header.
    ///
    /// - Throws: `GraftError` with code `image` where there is no whole header, or the image is too large.
    static func cost(of bytes: [UInt8], as format: ImageFormat) throws(GraftError) -> DecodingCost {
        try perform(bytes, as: format) { (loaded) throws(Refusal) in cost(of: loaded, as: format) }
    }

    /// Decodes the first frame or page to 8 bits a channel; alpha is left out.
    ///
    /// - Parameter window: the stored values that become the brightness from black to white; `nil` for all.
    static func read(
        _ bytes: [UInt8], as format: ImageFormat, window: IntensityWindow? = nil
    ) throws(GraftError) -> RawImage {
        try perform(bytes, as: format) { (loaded) throws(Refusal) in try rawImage(of: toBytes(loaded, window)) }
    }

    /// What the header says; no pixel is decoded.
    static func facts(of bytes: [UInt8], as format: ImageFormat) throws(GraftError) -> ImageFacts {
        try perform(bytes, as: format, checksSize: false) { (loaded) throws(Refusal) in
            ImageFacts(
                format: format, width: loaded.width, height: loaded.height,
                bitsPerChannel: loaded.format == VIPS_FORMAT_UCHAR ? 8 : loaded.format == VIPS_FORMAT_USHORT ? 16 : 32,
                isCMYK: loaded.interpretation == VIPS_INTERPRETATION_CMYK, frameCount: max(1, loaded.pageCount),
                orientation: Orientation(rawValue: loaded.orientation) ?? .upright)
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
        try perform(
            bytes, as: "JPEG 2000", checksSize: true,
            load: { (buffer) throws(Refusal) in
                try requireLoader("jp2k", for: "JPEG 2000")
                return try VipsResult { graft_vips_load_jp2k(buffer.baseAddress, buffer.count, $0) }
            }, { (loaded) throws(Refusal) in try deepImage(of: loaded, precision: JPEG2000.precision(of: bytes)) })
    }

    private static func perform<Result>(
        _ bytes: [UInt8], as format: ImageFormat, checksSize: Bool = true,
        _ body: (VipsResult) throws(Refusal) -> Result
    ) throws(GraftError) -> Result {
        try perform(
            bytes, as: format.rawValue, checksSize: checksSize,
            load: { (buffer) throws(Refusal) in try load(buffer, as: format) }, body)
    }

    /// Opens an image, whose size is checked, and does something with it.
    private static func perform<Result>(
        _ bytes: [UInt8], as format: String, checksSize: Bool,
        load: (UnsafeRawBufferPointer) throws(Refusal) -> VipsResult, _ body: (VipsResult) throws(Refusal) -> Result
    ) throws(GraftError) -> Result {
        do throws(GraftError) {
            let outcome = try VipsLibrary.perform { () -> Swift.Result<Result, GraftError>? in
                do throws(Refusal) {
                    return .success(
                        try open(bytes, load) { (loaded) throws(Refusal) in
                            if checksSize { try checkSize(loaded) }
                            return try body(loaded)
                        })
                } catch {
                    switch error {
                    case .byVips: return nil
                    case .byGraft(let error): return .failure(error)
                    }
                }
            }
            return try outcome.get()
        } catch {
            throw GraftError(
                .image, "it is not a whole \(format) picture: \(error.message)", cause: error.cause)
        }
    }

    /// What libvips keeps of a whole image while it decodes, in bytes a pixel: as measured, where its format is not decoded row by
    /// row.
    private static func cost(of loaded: VipsResult, as format: ImageFormat) -> DecodingCost {
        let stored = loaded.channels * loaded.sampleByteCount
        let inside =
            switch format {
            case .jpeg, .bmp, .dicom: 0
            case .png: loaded.isInterlaced ? stored : 0
            case .gif: 8
            case .webP: 8
            // A file may have all its rows in one strip.
            case .tiff: stored
            case .heif: 8
            }
        let isCMYK = loaded.interpretation == VIPS_INTERPRETATION_CMYK && !loaded.hasColourProfile
        return DecodingCost(
            width: loaded.width, height: loaded.height, inside: inside,
            read: isCMYK ? 4 : loaded.channels < 3 ? 1 : 3,
            isTurned: loaded.orientation > 1)
    }

    /// Why an image was not decoded: libvips has said so in its error buffer, or the error says it.
    private enum Refusal: Error {
        case byVips
        case byGraft(GraftError)
    }

    private static func open<Result>(
        _ bytes: [UInt8], _ load: (UnsafeRawBufferPointer) throws(Refusal) -> VipsResult,
        _ body: (VipsResult) throws(Refusal) -> Result
    ) throws(Refusal) -> Result {
        // The buffer must stay where it is while the image is computed from it, row by row.
        let result = bytes.withUnsafeBytes { buffer in
            Swift.Result { () throws(Refusal) in try body(load(buffer)) }
        }
        return try result.get()
    }

    private static func checkSize(_ loaded: VipsResult) throws(Refusal) {
        do throws(GraftError) {
            try ImageDecoder.checkSize(width: loaded.width, height: loaded.height)
        } catch {
            throw .byGraft(error)
        }
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

    private static func load(_ bytes: UnsafeRawBufferPointer, as format: ImageFormat) throws(Refusal) -> VipsResult {
        try requireLoader(format.loaderName, for: format.rawValue)
        return try VipsResult { image in
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
    }

    /// Brings what libvips knows (16 bits, floats, CIE colours, CMYK with a profile) to 8-bit grey, RGB or CMYK.
    private static func toBytes(_ result: VipsResult, _ window: IntensityWindow?) throws(Refusal) -> VipsResult {
        if let window, result.interpretation != VIPS_INTERPRETATION_CMYK {
            // DICOM's linear function, as `IntensityWindowFunction` has it; libvips cuts fractions off. A width of 1 is a
            // threshold: a slope that no two values of up to 32 bits lie within.
            let isThreshold = window.width <= 1
            let scale = isThreshold ? 0x1p40 : 255 / (window.width - 1)
            let offset = isThreshold ? -(window.center - 0.5) * scale : 128 - (window.center - 0.5) * scale
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

    /// Computes the pixels, a few rows at a time, and copies out those channels that are used.
    private static func rawImage(of result: VipsResult) throws(Refusal) -> RawImage {
        let layout: RawImage.Layout
        switch result.channels {
        case 1, 2: layout = .grey
        case 3: layout = .rgb
        case 4: layout = result.interpretation == VIPS_INTERPRETATION_CMYK ? .cmyk : .rgb
        default:
            throw .byGraft(
                GraftError(.image, "it has \(result.channels) channels; pictures with 1 to 4 can be read"))
        }
        guard result.format == VIPS_FORMAT_UCHAR else {
            throw .byGraft(GraftError(.image, "its numbers are of a kind that is not read; save it with 8 or 16 bits"))
        }
        let byteCount = result.height * result.width * layout.channels
        var isWhole = false
        let pixels = [UInt8](unsafeUninitializedCapacity: byteCount) { target, initializedCount in
            guard let start = target.baseAddress else { return }
            var rows = RowCopy(
                target: start, width: result.width, stored: result.channels, kept: layout.channels)
            isWhole =
                graft_vips_for_each_row(
                    result.image,
                    { row, y, context in
                        guard let row, let context else { return }
                        context.assumingMemoryBound(to: RowCopy.self).pointee.copy(row, to: Int(y))
                    }, &rows) == 0
            initializedCount = isWhole ? byteCount : 0
        }
        guard isWhole else { throw .byVips }
        return RawImage(
            height: result.height, width: result.width, layout: layout, pixels: pixels,
            orientation: Orientation(rawValue: result.orientation) ?? .upright)
    }

    /// - Parameter precision: the bits that a value has: libvips moves it to the upper ones of its bytes.
    private static func deepImage(of result: VipsResult, precision: Int?) throws(Refusal) -> DeepImage {
        let bits = [VIPS_FORMAT_UCHAR, VIPS_FORMAT_CHAR].contains(result.format) ? 8 : 16
        guard bits == 8 || [VIPS_FORMAT_USHORT, VIPS_FORMAT_SHORT].contains(result.format) else {
            throw .byGraft(GraftError(.image, "its values have more than 16 bits"))
        }
        var byteCount = 0
        guard let memory = vips_image_write_to_memory(result.image, &byteCount) else { throw .byVips }
        defer { graft_vips_free(memory) }
        let shift = max(bits - (precision ?? bits), 0)
        let values = UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
        func restore<Value: FixedWidthInteger>(_ type: Value.Type) {
            let values = values.bindMemory(to: type)
            for index in values.indices { values[index] >>= Value(shift) }
        }
        switch result.format {
        case _ where shift == 0: break
        case VIPS_FORMAT_UCHAR: restore(UInt8.self)
        case VIPS_FORMAT_CHAR: restore(Int8.self)
        case VIPS_FORMAT_USHORT: restore(UInt16.self)
        default: restore(Int16.self)
        }
        return DeepImage(
            height: result.height, width: result.width, channels: result.channels, bitsAllocated: bits,
            bytes: [UInt8](UnsafeRawBufferPointer(values)))
    }

    /// Copies rows, of each pixel the first few channels.
    private struct RowCopy {
        let target: UnsafeMutablePointer<UInt8>
        let width: Int
        let stored: Int
        let kept: Int

        func copy(_ row: UnsafePointer<UInt8>, to y: Int) {
            let target = target + y * width * kept
            if stored == kept { return target.initialize(from: row, count: width * kept) }
            for x in 0..<width {
                for channel in 0..<kept { target[x * kept + channel] = row[x * stored + channel] }
            }
        }
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
        /// The bytes of a number of the kind that is stored.
        var sampleByteCount: Int { Int(vips_format_sizeof(format)) }
        var isInterlaced: Bool { graft_vips_is_interlaced(image) != 0 }
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
