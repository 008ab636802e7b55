import GraftGraph

/// One fact in an object's header, padded to a multiple of 8 bytes.
///
/// Source: "HDF5 File Format Specification Version 3.0", section IV.A.2.
struct HDF5Message {
    let kind: UInt64
    let bytes: [UInt8]

    init(_ kind: UInt64, _ fields: [HDF5Field]) {
        self.kind = kind
        bytes = Self.padded(fields.flatMap(\.encoded))
    }

    /// Version 1; no sizes at all for a scalar.
    static func dataspace(_ sizes: [Int]) -> HDF5Message {
        HDF5Message(0x01, [.number(1, 1), .number(UInt64(sizes.count), 1), .number(0, 6)] + sizes.map { .address($0) })
    }

    /// 32-bit floats: class 1, implied leading bit, sign at bit 31. 64-bit integers: class 0, signed.
    static func datatype(of content: HDF5WriterGroup.Content) -> HDF5Message {
        switch content {
        case .floats, .room:
            HDF5Message(
                0x03,
                [
                    .bytes([0x11, 0x20, 31, 0]), .number(4, 4), .number(0, 2), .number(32, 2), .bytes([23, 8, 0, 23]),
                    .number(127, 4),
                ])
        case .integers:
            HDF5Message(0x03, [.bytes([0x10, 0x08, 0, 0]), .number(8, 4), .number(0, 2), .number(64, 2)])
        }
    }

    /// Version 2; all numbers are there, so that what fills gaps does not matter.
    static let noFillValue = HDF5Message(0x05, [.bytes([2, 2, 2, 1]), .number(0, 4)])

    /// Version 3, class 1; the address is filled in later.
    static func contiguousLayout(byteCount: Int) -> HDF5Message {
        HDF5Message(0x08, [.bytes([3, 1]), .number(HDF5Image.nowhere, 8), .number(UInt64(byteCount), 8)])
    }

    /// Version 1: name, type and shape, each padded; strings of one width, padded with zeros, in UTF-8.
    init(attribute: HDF5WriterGroup.Attribute) {
        let width = attribute.width
        let name = Array(attribute.name.utf8) + [0]
        let isASCII = attribute.strings.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } }
        let type: [HDF5Field] = [.bytes([0x13, isASCII ? 0x01 : 0x11, 0, 0]), .number(UInt64(width), 4)]
        let space = Self.dataspace(attribute.isList ? [attribute.strings.count] : [])
        let values = attribute.strings.flatMap { Array($0.utf8) + [UInt8](repeating: 0, count: width - $0.utf8.count) }
        self.init(
            0x0C,
            [.number(1, 2), .number(UInt64(name.count), 2), .number(8, 2), .number(UInt64(space.bytes.count), 2)]
                + [.bytes(Self.padded(name))] + type + [.bytes(space.bytes), .bytes(values)])
    }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    }
}
