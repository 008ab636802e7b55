@testable import GraftImages

/// A DICOM file made by hand, explicit little endian where nothing else is said.
struct DICOMBytes {
    var identifier = "1.2.840.10008.1.2.1"
    var rows = 2
    var columns = 3
    var samples = 1
    var photometric = "MONOCHROME2"
    var bitsAllocated = 16
    var bitsStored = 16
    var isSigned = false
    /// Further elements before the pixels.
    var others: [(DICOMTag, String, [UInt8])] = []
    var pixels: [UInt8] = []
    /// Fragments of compressed pixels in place of `pixels`.
    var fragments: [[UInt8]]?

    var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
        bytes += Self.element(.transferSyntax, "UI", Array(identifier.utf8))
        bytes += Self.word(.samplesPerPixel, samples)
        bytes += Self.element(.photometricInterpretation, "CS", Array(photometric.utf8))
        bytes += Self.word(.rows, rows) + Self.word(.columns, columns)
        bytes += Self.word(.bitsAllocated, bitsAllocated) + Self.word(.bitsStored, bitsStored)
        bytes += Self.word(.pixelRepresentation, isSigned ? 1 : 0)
        for (tag, representation, value) in others { bytes += Self.element(tag, representation, value) }
        guard let fragments else { return bytes + Self.element(.pixelData, "OW", pixels) }
        bytes += Self.tag(.pixelData) + Array("OB".utf8) + [0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
        for fragment in [[]] + fragments { bytes += Self.tag(.item) + Self.number(fragment.count, 4) + fragment }
        return bytes + Self.tag(.sequenceEnd) + [0, 0, 0, 0]
    }

    static func words(_ values: [Int]) -> [UInt8] { values.flatMap { number($0, 2) } }

    static func word(_ tag: DICOMTag, _ value: Int) -> [UInt8] { element(tag, "US", number(value, 2)) }

    static func element(_ tag: DICOMTag, _ representation: String, _ value: [UInt8]) -> [UInt8] {
        let padded = value.count.isMultiple(of: 2) ? value : value + [0x20]
        let isLong = ["OB", "OW", "SQ", "UN"].contains(representation)
        let length = isLong ? [0, 0] + number(padded.count, 4) : number(padded.count, 2)
        return self.tag(tag) + Array(representation.utf8) + length + padded
    }

    static func tag(_ tag: DICOMTag) -> [UInt8] { number(Int(tag.group), 2) + number(Int(tag.element), 2) }

    static func number(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
