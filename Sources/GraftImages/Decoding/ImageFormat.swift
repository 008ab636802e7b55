import GraftGraph

/// The image formats that Graft reads, told apart by a file's first bytes; its name plays no part.
enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case bmp = "BMP"
    case gif = "GIF"
    case webP = "WebP"
    case tiff = "TIFF"
    case heif = "HEIF"
    case dicom = "DICOM"

    /// The extensions, in lower case, by which a folder's images are found.
    static let fileExtensions: Set<String> = [
        "jpg", "jpeg", "jpe", "png", "bmp", "gif", "webp", "tif", "tiff", "heic", "heif", "avif", "dcm", "dicom",
    ]

    /// The format of these bytes, or `nil` for one that Graft does not read.
    init?(signatureOf bytes: [UInt8]) {
        // First, as the bytes before DICOM's signature are free: some files begin as TIFF does, to be read as either.
        if DICOMReader.hasSignature(bytes) {
            self = .dicom
        } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if bytes.starts(with: "GIF87a".utf8) || bytes.starts(with: "GIF89a".utf8) {
            self = .gif
        } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
            self = .webP
        } else if bytes.starts(with: "BM".utf8), BMPHeader.hasPlausibleSize(bytes) {
            self = .bmp
        } else if bytes.starts(with: [0x49, 0x49, 0x2A, 0]) || bytes.starts(with: [0x4D, 0x4D, 0, 0x2A]) {
            self = .tiff
        } else if bytes.dropFirst(4).starts(with: "ftyp".utf8), Self.isHEIFBrand(bytes.dropFirst(8).prefix(4)) {
            self = .heif
        } else {
            return nil
        }
    }

    /// The format of a file's bytes.
    ///
    /// - Throws: `GraftError` with code `image` that says what they are instead.
    init(of bytes: [UInt8]) throws(GraftError) {
        guard !bytes.isEmpty else { throw GraftError(.image, "the file is empty (0 bytes)") }
        guard let format = ImageFormat(signatureOf: bytes) else {
            throw GraftError(
                .image,
                "it begins with \(ImageFormat.describe(bytes)), which is no picture that Graft reads "
                    + "(JPEG, PNG, BMP, GIF, WebP, TIFF, HEIF, DICOM)")
        }
        self = format
    }

    /// What a file's name says that it is; `nil` where it has no extension of an image.
    init?(fileExtension: String) {
        switch fileExtension.lowercased() {
        case "jpg", "jpeg", "jpe": self = .jpeg
        case "png": self = .png
        case "bmp": self = .bmp
        case "gif": self = .gif
        case "webp": self = .webP
        case "tif", "tiff": self = .tiff
        case "heic", "heif", "avif": self = .heif
        case "dcm", "dicom": self = .dicom
        default: return nil
        }
    }

    /// The brands of still images in ISO/IEC 23008-12 (HEIF) and the AV1 image format; films begin alike.
    private static func isHEIFBrand(_ brand: ArraySlice<UInt8>) -> Bool {
        let brands = ["heic", "heix", "heim", "heis", "mif1", "msf1", "avif", "avis"]
        return brands.contains { brand.elementsEqual($0.utf8) }
    }

    /// What unreadable bytes look like, for a message: `the text "<html>…"`, `the bytes 00 01 02 03`.
    static func describe(_ bytes: [UInt8]) -> String {
        let start = bytes.prefix(16)
        let isText = start.allSatisfy { (0x20...0x7E).contains($0) || [0x09, 0x0A, 0x0D].contains($0) }
        guard isText else {
            return "the bytes " + start.prefix(8).map { hexadecimal($0) }.joined(separator: " ")
        }
        let text = String(decoding: start.map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
        return "the text \"\(text)\(bytes.count > 16 ? "…" : "")\""
    }
}

/// A byte as two hexadecimal digits.
func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count < 2 ? "0" + digits : digits
}
