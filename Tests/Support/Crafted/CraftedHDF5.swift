/// The bytes of an HDF5 file, put together without Graft's own writer, so that its parts can lie over one another.
///
/// Source: "HDF5 File Format Specification Version 3.0", sections II to IV, in the oldest forms.
package struct CraftedHDF5 {
    /// The kinds of messages that are made here.
    package enum Kind: Int {
        case null = 0, dataspace = 1, datatype = 3, link = 6, layout = 8, attribute = 12, continuation = 16
        case symbolTable = 17
    }

    /// All bytes so far; the first are those of the superblock.
    private var bytes = [UInt8](repeating: 0, count: 96)

    /// A file of nothing.
    package init() {}

    /// Where the next piece begins.
    package var end: Int { bytes.count }

    /// Adds a piece and gives its address, a multiple of eight.
    package mutating func place(_ piece: [UInt8]) -> Int {
        bytes += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
        defer { bytes += piece }
        return bytes.count
    }

    /// The whole file, with this header of its root group.
    package mutating func file(root header: [UInt8]) -> [UInt8] {
        let root = place(header)
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0]
        let none = [UInt8](repeating: 0xFF, count: 8)
        var head: [UInt8] = signature + [0, 0, 0, 0]
        for field in [Self.number(0), none, Self.number(bytes.count), none, Self.number(0), Self.number(root)] {
            head += field
        }
        return head + bytes[head.count...]
    }

    // MARK: Pieces

    /// A number in little-endian order.
    package static func number(_ value: Int, _ byteCount: Int = 8) -> [UInt8] {
        (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// An object's header of the first version.
    package static func header(_ messages: [[UInt8]]) -> [UInt8] {
        let body = Array(messages.joined())
        var head: [UInt8] = [1, 0]
        for (value, byteCount) in [(messages.count, 2), (1, 4), (body.count, 4), (0, 4)] {
            head += number(value, byteCount)
        }
        return head + body
    }

    /// A message, padded to a multiple of eight bytes.
    package static func message(_ kind: Kind, _ content: [UInt8]) -> [UInt8] {
        let padded = content + [UInt8](repeating: 0, count: (8 - content.count % 8) % 8)
        let head = number(kind.rawValue, 2) + number(padded.count, 2)
        return head + [0, 0, 0, 0] + padded
    }

    /// A member of a group.
    package static func link(_ name: String, to address: Int) -> [UInt8] {
        let head: [UInt8] = [1, 1] + number(name.utf8.count, 2)
        return message(.link, head + Array(name.utf8) + number(address))
    }

    /// An array of 32-bit floats that lies at an address.
    package static func floats(_ shape: [Int], at address: Int) -> [UInt8] {
        let type: [UInt8] = [0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]
        let place: [UInt8] = [3, 1] + number(address)
        return header([
            message(.dataspace, space(shape)), message(.datatype, type),
            message(.layout, place + number(4 * shape.reduce(1, *))),
        ])
    }

    /// An attribute of strings that all have the same number of bytes.
    package static func attribute(_ name: String, strings: [String]) -> [UInt8] {
        let width = max(strings.map(\.utf8.count).max() ?? 0, 1)
        let padded = strings.flatMap { Array($0.utf8) + [UInt8](repeating: 0, count: width - $0.utf8.count) }
        return attribute(name, type: [0x13, 0, 0, 0] + number(width, 4), count: strings.count, content: padded)
    }

    /// An attribute of strings in the heap: number and length of an object in a collection.
    package static func attribute(_ name: String, references: [(index: Int, length: Int)], collection: Int) -> [UInt8] {
        var content: [UInt8] = []
        for reference in references {
            content += number(reference.length, 4)
            content += number(collection)
            content += number(reference.index, 4)
        }
        return attribute(name, type: [0x19, 1, 0, 0] + number(16, 4), count: references.count, content: content)
    }

    /// A collection of the heap, with these objects numbered from 1.
    package static func collection(_ objects: [[UInt8]]) -> [UInt8] {
        var body: [UInt8] = []
        for (index, object) in objects.enumerated() {
            body += number(index + 1, 2)
            body += number(1, 2)
            body += number(0, 4)
            body += number(object.count)
            body += object
            body += [UInt8](repeating: 0, count: (8 - object.count % 8) % 8)
        }
        let head = Array("GCOL".utf8) + [1, 0, 0, 0]
        return head + number(16 + body.count) + body
    }

    private static func attribute(_ name: String, type: [UInt8], count: Int, content: [UInt8]) -> [UInt8] {
        let (name, space) = (Array(name.utf8) + [0], space([count]))
        let sizes = [name.count, type.count, space.count].flatMap { number($0, 2) }
        // The third version does not pad.
        let head: [UInt8] = [3, 0] + sizes + [0]
        return message(.attribute, head + name + type + space + content)
    }

    private static func space(_ shape: [Int]) -> [UInt8] {
        [1, UInt8(shape.count), 0, 0, 0, 0, 0, 0] + shape.flatMap { number($0) }
    }
}
