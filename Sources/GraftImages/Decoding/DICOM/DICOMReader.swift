import GraftGraph
import GraftInflate

/// Where the value of a data element stands.
struct DICOMElement: Sendable {
    /// The two letters of its value representation; `nil` where the file has none (implicit).
    let representation: String?
    let value: Range<Int>
    /// Whether the value is a list of fragments, of a length that is not said.
    let isEncapsulated: Bool
}

/// The data elements of a DICOM file: those at the top, as far as the pixels. Sequences are passed over.
///
/// A file is 128 bytes of anything, `DICM`, a group of elements about the file, and the data set. Source: DICOM PS3.10, 7.1 and
/// PS3.5, 7. Files are taken for hostile: no length leads out of the file, nothing is read twice, and nesting is counted, not
/// recursed into.
struct DICOMReader {
    let syntax: DICOMTransferSyntax
    /// The data set; decompressed where it was deflated.
    let bytes: [UInt8]
    let elements: [DICOMTag: DICOMElement]

    static let prefixByteCount = 132

    /// Whether these bytes begin as a DICOM file does.
    static func hasSignature(_ bytes: [UInt8]) -> Bool {
        bytes.count >= prefixByteCount && bytes[128..<132].elementsEqual("DICM".utf8)
    }

    /// Reads a file.
    ///
    /// - Parameter limit: the most bytes that a deflated data set may have.
    /// - Throws: `GraftError` with code `image` where it is damaged.
    init(_ file: [UInt8], limit: Int) throws(GraftError) {
        var start: Int
        (syntax, start) = try Self.syntax(of: file)
        if syntax == .deflated {
            do throws(GraftError) {
                bytes = try Inflate.inflate(file[start...], .none, limit: limit)
            } catch {
                throw GraftError(.image, error.message)
            }
            start = 0
        } else {
            bytes = file
        }
        var cursor = Cursor(
            bytes: bytes, position: start, isExplicit: syntax.isExplicit, isLittleEndian: syntax.isLittleEndian)
        var elements: [DICOMTag: DICOMElement] = [:]
        while cursor.peekGroup() != nil {
            let (tag, element) = try cursor.next()
            elements[tag] = element
            if tag == .pixelData { break }
        }
        self.elements = elements
    }

    /// The transfer syntax that the group about the file names, and where that group ends.
    private static func syntax(of file: [UInt8]) throws(GraftError) -> (DICOMTransferSyntax, end: Int) {
        var meta = Cursor(bytes: file, position: prefixByteCount, isExplicit: true, isLittleEndian: true)
        var identifier: String?
        while let group = meta.peekGroup(), group == 2 {
            let (tag, element) = try meta.next()
            if tag == .transferSyntax { identifier = text(file[element.value]) }
        }
        return (DICOMTransferSyntax(identifier: identifier), meta.position)
    }

    /// Whether the data set is compressed as a whole; `false` where the file is damaged before that can be told.
    static func isDeflated(_ file: [UInt8]) -> Bool { (try? syntax(of: file))?.0 == .deflated }

    // MARK: Values

    /// The text of an element without the padding.
    func text(_ tag: DICOMTag) -> String? { elements[tag].map { Self.text(bytes[$0.value]) } }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        let padding: Set<UInt8> = [0, 0x20]
        let end = bytes.lastIndex { !padding.contains($0) }.map { $0 + 1 } ?? bytes.startIndex
        return String(decoding: bytes[bytes.startIndex..<end].drop { padding.contains($0) }, as: UTF8.self)
    }

    /// The first number of a text such as `40\40`.
    func decimal(_ tag: DICOMTag) -> Double? {
        guard let first = text(tag)?.split(separator: "\\").first else { return nil }
        let number = Double(first.drop { $0 == " " }.prefix { $0 != " " })
        return number.flatMap { $0.isFinite ? $0 : nil }
    }

    /// The 16-bit numbers of an element.
    func words(_ tag: DICOMTag) -> [Int]? {
        guard let element = elements[tag] else { return nil }
        return stride(from: element.value.lowerBound, to: element.value.upperBound - 1, by: 2).map {
            let (first, second) = (Int(bytes[$0]), Int(bytes[$0 + 1]))
            return syntax.isLittleEndian ? first | second << 8 : first << 8 | second
        }
    }

    /// The first 16-bit number of an element.
    func word(_ tag: DICOMTag) -> Int? { words(tag)?.first }

    /// Fragments of pixels that are encapsulated, without the table of offsets before them.
    ///
    /// - Throws: `GraftError` with code `image` for anything else between them.
    func fragments(of element: DICOMElement) throws(GraftError) -> [Range<Int>] {
        var cursor = Cursor(
            bytes: bytes, position: element.value.lowerBound, isExplicit: syntax.isExplicit,
            isLittleEndian: syntax.isLittleEndian)
        var fragments: [Range<Int>] = []
        while cursor.position < element.value.upperBound {
            let (tag, fragment) = try cursor.next()
            if tag == .sequenceEnd { break }
            guard tag == .item, !fragment.isEncapsulated else {
                throw GraftError(.image, "something that is no fragment stands among those of the pixels")
            }
            fragments.append(fragment.value)
        }
        return Array(fragments.dropFirst())
    }
}

/// Goes from data element to data element.
private struct Cursor {
    let bytes: [UInt8]
    var position: Int
    let isExplicit: Bool
    let isLittleEndian: Bool

    /// Value representations whose length has four bytes, after two that are reserved.
    private static let long: Set<String> = [
        "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV",
    ]
    private static let unsaid = 0xFFFF_FFFF

    /// The next element's group; `nil` at the end, and where too little is left for an element.
    func peekGroup() -> Int? { position + 8 <= bytes.count ? number(at: position, 2) : nil }

    /// The next element, whole: what stands in it is passed over.
    mutating func next() throws(GraftError) -> (DICOMTag, DICOMElement) {
        let header = try header(isExplicit: isExplicit)
        guard header.length == Self.unsaid else { return (header.tag, try take(header)) }
        let start = position
        try passOverItems(isExplicit: isExplicit && header.representation != "UN")
        return (
            header.tag,
            DICOMElement(representation: header.representation, value: start..<position, isEncapsulated: true)
        )
    }

    private struct Header {
        let tag: DICOMTag
        let representation: String?
        let length: Int
    }

    private mutating func take(_ header: Header) throws(GraftError) -> DICOMElement {
        guard header.length <= bytes.count - position else {
            throw GraftError(
                .image,
                "the file ends within a data element: it says \(header.length) bytes, and \(bytes.count - position) are left"
            )
        }
        let value = position..<position + header.length
        position = value.upperBound
        return DICOMElement(representation: header.representation, value: value, isEncapsulated: false)
    }

    private mutating func header(isExplicit: Bool) throws(GraftError) -> Header {
        let tag = DICOMTag(UInt16(try read(2)), UInt16(try read(2)))
        guard isExplicit, tag.group != 0xFFFE else {
            return Header(tag: tag, representation: nil, length: try read(4))
        }
        _ = try requireBytes(2)
        let representation = String(decoding: bytes[position..<position + 2], as: UTF8.self)
        position += 2
        guard Self.long.contains(representation) else {
            return Header(tag: tag, representation: representation, length: try read(2))
        }
        _ = try read(2)
        return Header(tag: tag, representation: representation, length: try read(4))
    }

    /// Goes behind the end of a sequence, or of fragments, whose length is not said.
    private mutating func passOverItems(isExplicit: Bool) throws(GraftError) {
        var depth = 1
        while depth > 0 {
            let header = try header(isExplicit: isExplicit)
            switch header.tag {
            case .itemEnd, .sequenceEnd: depth -= 1
            case _ where header.length == Self.unsaid: depth += 1
            default: _ = try take(header)
            }
        }
    }

    private mutating func read(_ count: Int) throws(GraftError) -> Int {
        try requireBytes(count)
        defer { position += count }
        return number(at: position, count)
    }

    private func requireBytes(_ count: Int) throws(GraftError) {
        guard position + count <= bytes.count else {
            throw GraftError(.image, "the file ends within a data element, after \(bytes.count) bytes")
        }
    }

    private func number(at place: Int, _ count: Int) -> Int {
        var number = 0
        for index in 0..<count {
            number |= Int(bytes[place + index]) << (8 * (isLittleEndian ? index : count - 1 - index))
        }
        return number
    }
}
