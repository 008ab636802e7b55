import Foundation

/// A body of `multipart/form-data` (RFC 7578), as `curl -F` and browsers send it.
struct Multipart {
    struct Part {
        /// The field's name.
        var name = ""
        /// What the client calls the file; `nil` where the part is no file. Shown, never opened.
        var filename: String?
        var content: ArraySlice<UInt8>
    }

    private(set) var parts: [Part] = []

    static let mostParts = 128
    private static let longestHeaders = 8 << 10

    /// The boundary that a content type names; `nil` where it is another type.
    ///
    /// - Throws: 400 where it is multipart without a boundary.
    static func boundary(of contentType: String?) throws(Refusal) -> String? {
        guard let contentType, contentType.lowercased().hasPrefix("multipart/") else { return nil }
        for parameter in contentType.split(separator: ";").dropFirst() {
            let text = parameter.drop { $0 == " " || $0 == "\t" }
            guard text.lowercased().hasPrefix("boundary=") else { continue }
            let value = text.dropFirst("boundary=".count).trimmingPrefix("\"")
            let boundary = String(value.last == "\"" ? value.dropLast() : value)
            if (1...70).contains(boundary.utf8.count) { return boundary }
        }
        throw .badRequest(
            "Content-Type: multipart needs a boundary of 1 to 70 characters, as clients set it by themselves")
    }

    /// - Throws: 400 where the body is not whole.
    init(_ body: [UInt8], boundary: String) throws(Refusal) {
        let marker = Array("--\(boundary)".utf8)
        let separator = [0x0D, 0x0A] + marker
        guard var start = body.starts(with: marker) ? marker.count : Self.find(separator, in: body, from: 0)?.upperBound
        else { throw Self.damaged("it has no part") }
        while !body[start...].starts(with: "--".utf8) {
            guard body[start...].starts(with: [0x0D, 0x0A]) else {
                throw Self.damaged("a boundary does not end its line")
            }
            guard let end = Self.find(separator, in: body, from: start) else {
                throw Self.damaged("its end is missing")
            }
            guard parts.count < Self.mostParts else {
                throw .badRequest("more than \(Self.mostParts) parts; send fewer")
            }
            // The line break before the first header, or before the content where there is none.
            parts.append(try Self.part(body[start..<end.lowerBound]))
            start = end.upperBound
        }
    }

    private static func part(_ bytes: ArraySlice<UInt8>) throws(Refusal) -> Part {
        let all = Array(bytes)
        let blank: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
        guard let end = find(blank, in: all, from: 0), end.lowerBound <= longestHeaders else {
            throw damaged("a part has no end of its headers")
        }
        var part = Part(content: all[end.upperBound...])
        for line in String(decoding: all[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n") {
            guard line.lowercased().hasPrefix("content-disposition:") else { continue }
            part.name = parameter("name", of: line) ?? ""
            part.filename = parameter("filename", of: line)
        }
        return part
    }

    /// `name="image"`; browsers write a quotation mark inside as `%22`.
    private static func parameter(_ name: String, of line: Substring) -> String? {
        guard let start = line.range(of: "; \(name)=\"") ?? line.range(of: ";\(name)=\"") else { return nil }
        let rest = line[start.upperBound...]
        guard let end = rest.firstIndex(of: "\"") else { return nil }
        return rest[..<end].replacingOccurrences(of: "%22", with: "\"")
    }

    /// Where some bytes are found.
    static func find(_ wanted: [UInt8], in bytes: [UInt8], from start: Int) -> Range<Int>? {
        guard let first = wanted.first else { return nil }
        return bytes.withUnsafeBytes { all -> Range<Int>? in
            var position = start
            while position + wanted.count <= all.count, let base = all.baseAddress {
                guard let hit = memchr(base + position, Int32(first), all.count - position) else { return nil }
                position = UnsafeRawPointer(hit) - base
                guard position + wanted.count <= all.count else { return nil }
                if all[position..<(position + wanted.count)].elementsEqual(wanted) {
                    return position..<(position + wanted.count)
                }
                position += 1
            }
            return nil
        }
    }

    private static func damaged(_ why: String) -> Refusal {
        .badRequest("the body is not multipart/form-data, which its Content-Type says: \(why)")
    }
}
