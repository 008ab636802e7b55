import GraftModel

extension Configuration {
    /// The value that JSON text says.
    ///
    /// - Throws: `.format` with the line and what was expected there.
    package init(json bytes: [UInt8]) throws(GraftError) { self = try JSONReader.read(bytes) }

    /// The value that JSON text says.
    package init(json text: String) throws(GraftError) { self = try JSONReader.read(Array(text.utf8)) }

    /// The value as JSON text in UTF-8; `pretty` writes one member a line.
    package func json(pretty: Bool = false) -> [UInt8] { JSONWriter.write(self, pretty: pretty) }

    /// The value as JSON text.
    package func jsonText(pretty: Bool = false) -> String { String(decoding: json(pretty: pretty), as: UTF8.self) }
}
