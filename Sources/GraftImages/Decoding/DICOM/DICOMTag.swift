/// The name of a DICOM data element: group and element number. Source: DICOM PS3.6.
struct DICOMTag: Hashable, Sendable {
    let group: UInt16
    let element: UInt16

    init(_ group: UInt16, _ element: UInt16) { (self.group, self.element) = (group, element) }

    static let transferSyntax = DICOMTag(0x0002, 0x0010)
    static let samplesPerPixel = DICOMTag(0x0028, 0x0002)
    static let photometricInterpretation = DICOMTag(0x0028, 0x0004)
    static let planarConfiguration = DICOMTag(0x0028, 0x0006)
    static let numberOfFrames = DICOMTag(0x0028, 0x0008)
    static let rows = DICOMTag(0x0028, 0x0010)
    static let columns = DICOMTag(0x0028, 0x0011)
    static let bitsAllocated = DICOMTag(0x0028, 0x0100)
    static let bitsStored = DICOMTag(0x0028, 0x0101)
    static let pixelRepresentation = DICOMTag(0x0028, 0x0103)
    static let windowCenter = DICOMTag(0x0028, 0x1050)
    static let windowWidth = DICOMTag(0x0028, 0x1051)
    static let rescaleIntercept = DICOMTag(0x0028, 0x1052)
    static let rescaleSlope = DICOMTag(0x0028, 0x1053)
    static let windowFunction = DICOMTag(0x0028, 0x1056)
    /// Descriptors of the tables of red, green and blue; their data have the element numbers 0x1201 to 0x1203.
    static let paletteDescriptors = [DICOMTag(0x0028, 0x1101), DICOMTag(0x0028, 0x1102), DICOMTag(0x0028, 0x1103)]
    static let paletteData = [DICOMTag(0x0028, 0x1201), DICOMTag(0x0028, 0x1202), DICOMTag(0x0028, 0x1203)]
    static let pixelData = DICOMTag(0x7FE0, 0x0010)
    /// Parts of sequences, which have no value representation.
    static let item = DICOMTag(0xFFFE, 0xE000)
    static let itemEnd = DICOMTag(0xFFFE, 0xE00D)
    static let sequenceEnd = DICOMTag(0xFFFE, 0xE0DD)
}

/// How a data set, and the pixels in it, are stored. Source: DICOM PS3.5, annex A.
enum DICOMTransferSyntax: Hashable, Sendable {
    case implicitLittleEndian, explicitLittleEndian, explicitBigEndian, deflated
    case runLength
    case jpeg
    case jpeg2000
    /// Pixels by a method that Graft does not read, with its name.
    case unsupported(String)

    /// The syntax of an identifier; a file that says none is in DICOM's default.
    init(identifier: String?) {
        switch identifier {
        case nil, "1.2.840.10008.1.2": self = .implicitLittleEndian
        case "1.2.840.10008.1.2.1": self = .explicitLittleEndian
        case "1.2.840.10008.1.2.1.99": self = .deflated
        case "1.2.840.10008.1.2.2": self = .explicitBigEndian
        case "1.2.840.10008.1.2.5": self = .runLength
        case "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51": self = .jpeg
        case "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91": self = .jpeg2000
        case "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70": self = .unsupported("lossless JPEG")
        case "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81": self = .unsupported("JPEG-LS")
        case let identifier?: self = .unsupported("the transfer syntax \(identifier.prefix(64))")
        }
    }

    var isExplicit: Bool { self != .implicitLittleEndian }
    var isLittleEndian: Bool { self != .explicitBigEndian }
}
