import GraftGraph

/// What a DICOM file says about its pixels. Source: DICOM PS3.3, C.7.6.3.
struct DICOMDescription: Sendable {
    /// How the values of a pixel are to be understood.
    enum Photometric: String, Sendable {
        /// The smallest value is white.
        case monochrome1 = "MONOCHROME1"
        /// The smallest value is black.
        case monochrome2 = "MONOCHROME2"
        case palette = "PALETTE COLOR"
        case rgb = "RGB"
        case ybrFull = "YBR_FULL"
        case ybrFull422 = "YBR_FULL_422"
        /// JPEG 2000's, which its decoder turns into RGB.
        case ybrReversible = "YBR_RCT"
        case ybrIrreversible = "YBR_ICT"
    }

    let rows: Int
    let columns: Int
    let samples: Int
    let photometric: Photometric
    let bitsAllocated: Int
    let bitsStored: Int
    let isSigned: Bool
    /// Whether a frame has all red values first, then all green ones.
    let isPlanar: Bool
    let slope: Double
    let intercept: Double
    /// Frames, of which the first is the image.
    let frameCount: Int
    /// The first window that the file suggests.
    let window: IntensityWindowFunction?

    /// - Throws: `GraftError` with code `image` for a file without an image, or with one that Graft does not read.
    init(_ file: DICOMReader) throws(GraftError) {
        guard let rows = file.word(.rows), let columns = file.word(.columns), file.elements[.pixelData] != nil else {
            throw GraftError(.image, "it is a DICOM file without an image, such as a report or a plan")
        }
        (self.rows, self.columns) = (rows, columns)
        try ImageDecoder.checkSize(width: columns, height: rows)
        samples = file.word(.samplesPerPixel) ?? 1
        let name = file.text(.photometricInterpretation) ?? Photometric.monochrome2.rawValue
        guard let photometric = Photometric(rawValue: name), samples == (photometric.hasOneSample ? 1 : 3) else {
            throw GraftError(
                .image, "its pixels are '\(name.prefix(32))' with \(samples) values each, which Graft does not read")
        }
        self.photometric = photometric
        bitsAllocated = file.word(.bitsAllocated) ?? 0
        bitsStored = file.word(.bitsStored) ?? bitsAllocated
        guard [1, 8, 16, 32].contains(bitsAllocated), (1...bitsAllocated).contains(bitsStored) else {
            throw GraftError(
                .image,
                "its values have \(bitsStored) of \(bitsAllocated) bits; Graft reads those of 1, 8, 16 and 32 bits")
        }
        isSigned = bitsAllocated > 1 && file.word(.pixelRepresentation) == 1
        isPlanar = samples > 1 && photometric != .ybrFull422 && file.word(.planarConfiguration) == 1
        let isHalved = photometric == .ybrFull422 && file.syntax == .runLength
        guard samples == 1 || bitsAllocated == 8 || (photometric == .rgb && bitsAllocated == 16), !isHalved else {
            throw GraftError(
                .image, "its pixels are \(name) of \(bitsAllocated) bits a value, which Graft does not read")
        }
        slope = file.decimal(.rescaleSlope) ?? 1
        intercept = file.decimal(.rescaleIntercept) ?? 0
        frameCount = max(1, file.decimal(.numberOfFrames).flatMap { Int(exactly: $0) } ?? 1)
        window = IntensityWindowFunction(file)
    }

    /// The number of values of a frame.
    var valueCount: Int { rows * columns * samples }

    /// The bytes of a frame that is not compressed.
    var frameByteCount: Int {
        if photometric == .ybrFull422 { return (rows * columns + 1) / 2 * 4 }
        return bitsAllocated == 1 ? (valueCount + 7) / 8 : valueCount * (bitsAllocated / 8)
    }
}

extension DICOMDescription.Photometric {
    fileprivate var hasOneSample: Bool {
        switch self {
        case .monochrome1, .monochrome2, .palette: true
        case .rgb, .ybrFull, .ybrFull422, .ybrReversible, .ybrIrreversible: false
        }
    }
}
