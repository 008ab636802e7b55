import GraftData
import GraftDigest
import GraftGraph

/// One file, opened once: what it is, and by what it is found again.
struct ImageExamination: Sendable {
    /// The first 128 bits of SHA-256 of the file: equal where the bytes are equal.
    struct Digest: Hashable, Sendable {
        let high: UInt64
        let low: UInt64
    }

    /// `nil` where the file could not be read, or holds nothing.
    private(set) var digest: Digest?
    /// `nil` where it could not be decoded, or shows nothing.
    private(set) var hash: PerceptualHash?
    /// The share that a square from the middle leaves out; 0 where it could not be decoded.
    private(set) var cropLoss = 0.0
    /// What there is to say of this file.
    private(set) var remarks: [(kind: ImageFinding.Kind, detail: String)] = []

    /// Whether it can be trained on.
    var isUsable: Bool { !remarks.contains { $0.kind.severity == .unusable } }

    /// A side shorter than this shows little: a network's own input is several times as large.
    static let tinySide = 32
    /// More pixels than this take a second or so to decode.
    static let hugePixelCount = 50_000_000

    /// Reads, decodes and looks at a file. Whatever it is, the answer is an examination.
    init(_ path: String) {
        let bytes: [UInt8]
        do throws(GraftError) {
            bytes = try FileBytes.read(path, limit: ImageDecoder.maximumByteCount)
        } catch {
            let size = FileBytes.byteCount(of: path)
            note(size.map { $0 > ImageDecoder.maximumByteCount } == true ? .tooLarge : .unreadable, error.message)
            return
        }
        guard !bytes.isEmpty else {
            note(.empty, "holds 0 bytes")
            return
        }
        digest = Digest(bytes)
        guard let format = ImageFormat(signatureOf: bytes) else {
            note(.notAnImage, "begins with \(ImageFormat.describe(bytes))")
            return
        }
        do throws(GraftError) {
            try examine(bytes, named: path)
        } catch {
            note(Truncation.isTruncated(bytes, format, failure: error) ? .truncated : .unreadable, error.message)
        }
    }

    private mutating func note(_ kind: ImageFinding.Kind, _ detail: String) { remarks.append((kind, detail)) }

    private mutating func examine(_ bytes: [UInt8], named path: String) throws(GraftError) {
        let facts = try ImageFacts.read(bytes)
        guard !facts.isTooLarge else {
            note(
                .tooLarge,
                "declares \(facts.width) × \(facts.height) pixels; at most "
                    + "\(ImageDecoder.maximumPixelCount / 1_000_000) megapixels are decoded")
            return
        }
        let (grey, warnings) = try Self.grey(bytes, facts)
        hash = PerceptualHash(grey)
        cropLoss = CropLoss.share(width: facts.width, height: facts.height)
        if warnings > 0 {
            note(.damaged, "libjpeg found its data wrong \(warnings) time\(warnings == 1 ? "" : "s") and went on")
        }
        remarks += Self.remarks(on: facts, named: path)
    }

    /// The brightness of the upright image; a JPEG's is decoded no larger than needed.
    private static func grey(
        _ bytes: [UInt8], _ facts: ImageFacts
    ) throws(GraftError) -> (image: DecodedImage, warnings: Int) {
        guard facts.format == .jpeg, !facts.isCMYK else {
            return (try ImageDecoder(channels: 1).decode(bytes), 0)
        }
        let (image, warnings) = try JPEGReader.smallGrey(bytes, facts, side: 2 * PerceptualHash.side)
        return (facts.orientation.applied(to: image), warnings)
    }

    /// What the header tells that is good to know.
    static func remarks(on facts: ImageFacts, named path: String) -> [(kind: ImageFinding.Kind, detail: String)] {
        var remarks: [(kind: ImageFinding.Kind, detail: String)] = []
        let size = "has \(facts.width) × \(facts.height) pixels"
        if min(facts.width, facts.height) < tinySide { remarks.append((.tiny, size)) }
        if facts.width * facts.height >= hugePixelCount {
            remarks.append((.huge, "\(size), slow to decode each time"))
        }
        let fileExtension = FileKind.fileExtension(of: FolderListing.name(of: path)) ?? ""
        if let named = ImageFormat(fileExtension: fileExtension), named != facts.format {
            remarks.append((.otherFormat, "is \(facts.format.rawValue), named .\(fileExtension)"))
        }
        if facts.isCMYK { remarks.append((.cmyk, "stored as CMYK, converted to RGB")) }
        if facts.bitsPerChannel > 8 {
            let what = facts.bitsPerChannel == 16 ? "of which the upper 8 are used" : "converted to 8"
            remarks.append((.sixteenBits, "\(facts.bitsPerChannel) bits a channel, \(what)"))
        }
        if facts.frameCount > 1 {
            remarks.append((.animated, "\(facts.frameCount) frames or pages, of which the first is used"))
        }
        if facts.orientation != .upright {
            remarks.append((.rotated, "EXIF orientation \(facts.orientation.rawValue), turned upright"))
        }
        return remarks
    }
}

extension ImageExamination.Digest {
    /// The digest of a file's bytes.
    init(_ bytes: [UInt8]) {
        let digest = SHA256.hash(bytes)
        high = digest[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = digest[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
