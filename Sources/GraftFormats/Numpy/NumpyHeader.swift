import GraftGraph

/// The text in front of the numbers of a `.npy` file: `{'descr': '<f4', 'fortran_order': False, 'shape': (20, 7), }`.
///
/// Source: numpy/lib/format.py, versions 1.0, 2.0 and 3.0 of the format.
struct NumpyHeader: Equatable {
    /// The numbers' format in the file.
    enum Element: String, CaseIterable {
        case float32 = "<f4"
        case float64 = "<f8"
        case int32 = "<i4"
        case int64 = "<i8"

        var byteCount: Int {
            switch self {
            case .float32, .int32: 4
            case .float64, .int64: 8
            }
        }
    }

    let element: Element
    let shape: Shape

    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// numpy itself refuses more than 10,000 bytes; a header of thirty axes has about 400.
    static let byteLimit = 65_536

    init(element: Element, shape: Shape) { (self.element, self.shape) = (element, shape) }

    /// The header as version 1.0 writes it, padded so that the numbers begin at a multiple of 64.
    ///
    /// - Parameter byteCount: Pads to this size, so that a longer row count fits later in the same place.
    func encoded(byteCount: Int? = nil) -> [UInt8] {
        let sizes = shape.dimensions.map(String.init).joined(separator: ", ") + (shape.rank == 1 ? "," : "")
        let text = "{'descr': '\(element.rawValue)', 'fortran_order': False, 'shape': (\(sizes)), }"
        let total = byteCount ?? (text.utf8.count + 11 + 63) / 64 * 64
        let padding = [UInt8](repeating: 0x20, count: total - 11 - text.utf8.count)
        let length = total - 10
        return Self.magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + text.utf8 + padding + [0x0A]
    }

    /// The length of the whole header from its first 12 bytes, and where its text begins.
    static func extent(of start: [UInt8]) throws(GraftError) -> (textStart: Int, end: Int) {
        guard start.count >= 12, start.starts(with: magic) else { throw GraftError(.format, "not a .npy file") }
        let short = Int(start[8]) | Int(start[9]) << 8
        let extent: (Int, Int)
        switch start[6] {
        case 1: extent = (10, 10 + short)
        case 2, 3: extent = (12, 12 + (short | Int(start[10]) << 16 | Int(start[11]) << 24))
        default:
            throw GraftError(
                .format, "version \(start[6]).\(start[7]) of the .npy format is unknown; 1.0 to 3.0 are read")
        }
        guard extent.1 <= byteLimit else {
            throw GraftError(.format, "the header declares \(extent.1) bytes; at most \(byteLimit) are read")
        }
        return extent
    }

    /// Reads the dictionary.
    init(text: String) throws(GraftError) {
        var scanner = HeaderScanner(text: text)
        let fields = try scanner.dictionary()
        guard case .text(let format)? = fields["descr"], case .flag(let isFortran)? = fields["fortran_order"],
            case .sizes(let sizes)? = fields["shape"], fields.count == 3
        else { throw GraftError(.format, "the header lacks descr, fortran_order or shape: \(text.prefix(200))") }
        guard let element = Element(rawValue: format) else {
            throw GraftError(
                .format,
                "numbers of the kind \"\(format.prefix(40))\" are not read; write float32, float64, int32 or int64 "
                    + "(numpy.save(path, array.astype(\"<f4\")))")
        }
        let shape = Shape(sizes)
        guard shape.isValid, shape.rank <= 32 else {
            throw GraftError(.format, "the header declares the impossible shape \(shape.description.prefix(200))")
        }
        guard !isFortran || shape.rank < 2 else {
            throw GraftError(.format, "the array is in Fortran's order; write numpy.ascontiguousarray(array)")
        }
        self.init(element: element, shape: shape)
    }
}

/// Reads the few kinds of Python literals that a header has.
private struct HeaderScanner {
    enum Value {
        case text(String)
        case flag(Bool)
        case sizes([Int])
    }

    private var rest: Substring

    init(text: String) { rest = text[...] }

    mutating func dictionary() throws(GraftError) -> [String: Value] {
        var fields: [String: Value] = [:]
        guard take("{") else { throw failure }
        while !take("}") {
            let key = try text()
            guard take(":"), fields[key] == nil else { throw failure }
            fields[key] = try value()
            if take(",") { continue }
            guard take("}") else { throw failure }
            break
        }
        skipSpace()
        guard rest.isEmpty else { throw failure }
        return fields
    }

    private mutating func value() throws(GraftError) -> Value {
        if take("True") { return .flag(true) }
        if take("False") { return .flag(false) }
        guard take("(") else { return .text(try text()) }
        var sizes: [Int] = []
        while !take(")") {
            skipSpace()
            let digits = rest.prefix { ("0"..."9").contains($0) }
            guard let size = Int(digits) else { throw failure }
            rest = rest.dropFirst(digits.count)
            sizes.append(size)
            if take(",") { continue }
            guard take(")") else { throw failure }
            break
        }
        return .sizes(sizes)
    }

    private mutating func text() throws(GraftError) -> String {
        skipSpace()
        guard let quote = rest.first, quote == "'" || quote == "\"" else { throw failure }
        let content = rest.dropFirst().prefix { $0 != quote }
        guard content.endIndex < rest.endIndex else { throw failure }
        rest = rest[rest.index(after: content.endIndex)...]
        return String(content)
    }

    private mutating func take(_ word: String) -> Bool {
        skipSpace()
        guard rest.hasPrefix(word) else { return false }
        rest = rest.dropFirst(word.count)
        return true
    }

    private mutating func skipSpace() { rest = rest.drop { $0 == " " || $0 == "\n" || $0 == "\t" } }

    private var failure: GraftError { GraftError(.format, "the header cannot be read near \"\(rest.prefix(20))\"") }
}
