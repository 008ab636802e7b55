import Foundation
import GraftDigest
import GraftGraph
import Testing

@testable import GraftImages

/// The files of pydicom, with pydicom's pixels as the reference: those that were lent beside the project.
@Suite struct DICOMReferenceTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        struct Pixels: Decodable, Sendable {
            let shape: [Int]
            let dtype: String
            let min: Double
            let max: Double
            let digest: String

            private enum CodingKeys: String, CodingKey {
                case shape, dtype, min, max
                case digest = "sha256_little_endian_c_order"
            }
        }
        let file: String
        let photometric: String?
        let pixels: Pixels?
        let frames: Int

        var testDescription: String { file }
    }

    private struct Collection: Decodable { let files: [Case] }

    private static let folder = SharedImages.folder + "/medical/dicom"
    private static let all: [Case] = {
        guard let data = FileManager.default.contents(atPath: folder + "/reference.json") else { return [] }
        return (try? JSONDecoder().decode(Collection.self, from: data).files) ?? []
    }()
    private static let bytes: @Sendable (String) -> [UInt8] = { name in
        FileManager.default.contents(atPath: "\(folder)/\(name)").map { [UInt8]($0) } ?? []
    }

    /// What Graft does not read, and what it says then.
    private static let refused = [
        "MR_small_jpeg_ls_lossless.dcm": "stored by JPEG-LS", "JPEG-LL.dcm": "stored by lossless JPEG",
        "JPGLosslessP14SV1_1s_1f_8b.dcm": "stored by lossless JPEG",
        "JPGExtended.dcm": "Unsupported JPEG data precision 12", "JPEG-lossy.dcm": "JPEG",
        "MR_truncated.dcm": "the file ends within a data element", "test-SR.dcm": "without an image",
        // Of before DICOM had a beginning of its own.
        "OT-PAL-8-face.dcm": "which is no picture that Graft reads", "rtplan.dcm": "without an image",
    ]
    /// Lossy streams, whose decoders may differ by a unit.
    private static let lossy: Set = [
        "examples_ybr_color.dcm", "SC_rgb_jpeg_dcmtk.dcm", "JPEG2000.dcm", "693_J2KI.dcm", "RG3_J2KI.dcm",
    ]

    @Test(.enabled(if: !all.isEmpty, "the DICOM files are not here"), arguments: all)
    func everyFileIsReadOrRefusedInWords(_ example: Case) throws {
        let bytes = Self.bytes(example.file)
        guard let words = Self.refused[example.file] else {
            let image = try ImageDecoder().decode(bytes)
            let shape = try #require(example.pixels?.shape)
            let size = Array(shape.dropFirst(example.frames > 1 ? 1 : 0).prefix(2))
            #expect([image.height, image.width] == size)
            return
        }
        let error = #expect(throws: GraftError.self) { try ImageDecoder().decode(bytes) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    /// The values before any window, of files with one frame and without loss: pydicom's, byte for byte.
    @Test(.enabled(if: !all.isEmpty, "the DICOM files are not here"), arguments: all)
    func storedValuesAreThoseOfPydicom(_ example: Case) throws {
        guard Self.refused[example.file] == nil, !Self.lossy.contains(example.file), example.frames == 1,
            let pixels = example.pixels, example.photometric?.hasPrefix("YBR") != true
        else { return }
        let frame = try DICOMFrame(DICOMReader(Self.bytes(example.file), limit: 1 << 28))
        let width =
            pixels.dtype.hasSuffix("8") ? 1 : pixels.dtype.hasSuffix("16") || pixels.dtype.hasSuffix("2") ? 2 : 4
        var little: [UInt8] = []
        for index in 0..<frame.description.valueCount {
            let value = frame.value(at: index)
            for byte in 0..<width { little.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
        }
        var hash = SHA256()
        hash.update(little)
        #expect(hash.finalize().hexadecimal == pixels.digest)
    }

    @Test(
        .enabled(if: !all.isEmpty, "the DICOM files are not here"),
        arguments: all.filter { lossy.contains($0.file) && $0.frames == 1 })
    func lossyStreamsAreWithinAUnitAtTheirEnds(_ example: Case) throws {
        let frame = try DICOMFrame(DICOMReader(Self.bytes(example.file), limit: 1 << 28))
        let values = (0..<frame.description.valueCount).map { Double(frame.value(at: $0)) }
        let pixels = try #require(example.pixels)
        #expect(abs((values.min() ?? 0) - pixels.min) <= 1)
        #expect(abs((values.max() ?? 0) - pixels.max) <= 1)
    }
}
