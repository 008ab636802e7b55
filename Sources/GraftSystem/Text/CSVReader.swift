/// Reads comma-separated values: RFC 4180, from untrusted bytes; and tab-separated ones.
///
/// Records end with CRLF, LF or CR; a field in double quotes may hold commas, line ends and doubled quotes. A byte order mark at
/// the start is passed over. Empty lines are no records. Everything else that is not of this form is an error with its line.
///
/// A reader of its own, as no library for it is among the dependencies, and Foundation has none.
package struct CSVReader {
    /// The most bytes of a field: many times what a path takes.
    package static let maximumFieldBytes = 1 << 20
    /// The most fields of a record.
    package static let maximumFields = 4096

    /// The number of the line that the last record began in, from 1.
    package private(set) var line = 0
    private var nextLine = 1
    private let bytes: [UInt8]
    private var position = 0

    /// What stands between fields.
    private let separator: UInt8
    /// Whether a field may be in quotes; elsewhere quotes are characters like others.
    private let hasQuotes: Bool

    package init(_ bytes: [UInt8]) { self.init(bytes, separator: UInt8(ascii: ","), hasQuotes: true) }

    /// Tab-separated values, which have no quotes (IANA, text/tab-separated-values).
    package init(tabSeparated bytes: [UInt8]) { self.init(bytes, separator: 0x09, hasQuotes: false) }

    private init(_ bytes: [UInt8], separator: UInt8, hasQuotes: Bool) {
        (self.bytes, self.separator, self.hasQuotes) = (bytes, separator, hasQuotes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The fields of the next record; `nil` at the end.
    ///
    /// - Throws: `GraftError` with code `format` for a quote that is not closed or stands in a field without quotes, for bytes
    ///   that are no UTF-8, and for more fields or bytes than there may be.
    package mutating func next() throws(GraftError) -> [String]? {
        while endLine() {}
        guard position < bytes.count else { return nil }
        line = nextLine
        var fields = [try field()]
        while position < bytes.count, bytes[position] == separator {
            position += 1
            guard fields.count < Self.maximumFields else {
                throw failure("it has more than \(Self.maximumFields) fields")
            }
            fields.append(try field())
        }
        guard position == bytes.count || endLine() else {
            throw failure("a quoted field must end at a comma or the end of the line")
        }
        return fields
    }

    private mutating func field() throws(GraftError) -> String {
        guard hasQuotes, position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return try plainField() }
        position += 1
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                guard position < bytes.count, bytes[position] == byte else { return try text(content[...]) }
                position += 1
            } else if byte == 0x0A || byte == 0x0D && !(position < bytes.count && bytes[position] == 0x0A) {
                nextLine += 1
            }
            content.append(byte)
            guard content.count <= Self.maximumFieldBytes else { throw tooLong }
        }
        throw failure("a quote is not closed")
    }

    private mutating func plainField() throws(GraftError) -> String {
        let start = position
        while position < bytes.count, bytes[position] != separator, bytes[position] != 0x0A, bytes[position] != 0x0D {
            guard !hasQuotes || bytes[position] != UInt8(ascii: "\"") else {
                throw failure("a quote stands inside of a field without quotes; put the field in quotes and double it")
            }
            position += 1
        }
        guard position - start <= Self.maximumFieldBytes else { throw tooLong }
        return try text(bytes[start..<position])
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws(GraftError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw failure("\"\(bytes.prefix(40).printable)\" is not UTF-8")
        }
        return text
    }

    /// Steps over the end of a line, where there is one.
    private mutating func endLine() -> Bool {
        guard position < bytes.count, [0x0A, 0x0D].contains(bytes[position]) else { return false }
        position += bytes[position...].starts(with: [0x0D, 0x0A]) ? 2 : 1
        nextLine += 1
        return true
    }

    private var tooLong: GraftError { failure("a field has more than \(Self.maximumFieldBytes) bytes") }

    private func failure(_ reason: String) -> GraftError { GraftError(.format, "line \(line): \(reason)") }
}

extension String {
    /// The text as a field of CSV (RFC 4180): in quotes where it needs them.
    package var csvField: String {
        let needsQuotes = utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D].contains($0) }
        return needsQuotes ? "\"" + replacing("\"", with: "\"\"") + "\"" : self
    }
}
