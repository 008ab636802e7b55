import GraftModel

extension Configuration {
    /// The value that JSON text says, in UTF-8. Text from outside may be anything: its depth and the memory that its values take are
    /// bounded.
    ///
    /// - Throws: `GraftError` with code `format` and the line and what was expected there.
    public init(json bytes: [UInt8]) throws(GraftError) { self = try JSONReader.read(bytes) }

    /// The value that JSON text says.
    package init(json text: String) throws(GraftError) { self = try JSONReader.read(Array(text.utf8)) }

    /// The value as JSON text in UTF-8; `pretty` writes one member a line.
    package func json(pretty: Bool = false) -> [UInt8] { JSONWriter.write(self, pretty: pretty) }

    /// The value as JSON text.
    package func jsonText(pretty: Bool = false) -> String { String(decoding: json(pretty: pretty), as: UTF8.self) }
}
