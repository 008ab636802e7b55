import Foundation
import Testing

@testable import GraftReports
@testable import GraftTraining

/// Reads event files apart from the code that writes them: records with their checksums, messages field by field.
enum EventReader {
    struct Value {
        let step: Int
        /// The first number of the tensor.
        let value: Float
    }

    private enum Field {
        case number(UInt64)
        case bytes([UInt8])
    }

    /// Each tag's values in the order of the files.
    static func values(in folder: String) throws -> [String: [Value]] {
        var result: [String: [Value]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            #expect(name.hasPrefix("events.out.tfevents."))
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
            for (index, event) in try records(bytes).map(fields).enumerated() {
                if index == 0 { #expect(text(event[3]) == "brain.Event:2") }
                guard let summary = message(event[5]), let value = message(summary[1]) else { continue }
                let step: Int = if case .number(let step) = event[2] { Int(step) } else { 0 }
                let (tag, tensor) = (try #require(text(value[1])), try #require(message(value[8])))
                result[tag, default: []].append(Value(step: step, value: number(tensor)))
            }
        }
        return result
    }

    private static func records(_ bytes: [UInt8]) throws -> [[UInt8]] {
        var (result, position): ([[UInt8]], Int) = ([], 0)
        while position < bytes.count {
            try #require(position + 12 <= bytes.count)
            let length = Array(bytes[position..<position + 8])
            #expect(number(bytes[position + 8..<position + 12]) == UInt64(CRC32C.masked(length)))
            let (start, count) = (position + 12, Int(number(length[...])))
            try #require(start + count + 4 <= bytes.count)
            let data = Array(bytes[start..<start + count])
            #expect(number(bytes[start + count..<start + count + 4]) == UInt64(CRC32C.masked(data)))
            result.append(data)
            position = start + count + 4
        }
        return result
    }

    /// The last field of each number.
    private static func fields(_ bytes: [UInt8]) -> [UInt64: Field] {
        var (result, position): ([UInt64: Field], Int) = ([:], 0)
        func varint() -> UInt64 {
            var (value, shift): (UInt64, UInt64) = (0, 0)
            while position < bytes.count {
                let byte = bytes[position]
                value |= UInt64(byte & 0x7F) << shift
                (position, shift) = (position + 1, shift + 7)
                if byte < 0x80 { break }
            }
            return value
        }
        while position < bytes.count {
            let tag = varint()
            switch tag & 7 {
            case 0: result[tag >> 3] = .number(varint())
            case 1:
                result[tag >> 3] = .number(number(bytes[position..<position + 8]))
                position += 8
            default:
                let count = Int(varint())
                result[tag >> 3] = .bytes(Array(bytes[position..<position + count]))
                position += count
            }
        }
        return result
    }

    private static func message(_ field: Field?) -> [UInt64: Field]? {
        guard case .bytes(let bytes) = field else { return nil }
        return fields(bytes)
    }

    private static func text(_ field: Field?) -> String? {
        guard case .bytes(let bytes) = field else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The first number of a tensor of floats or doubles.
    private static func number(_ tensor: [UInt64: Field]) -> Float {
        guard case .bytes(let content) = tensor[4], case .number(let type) = tensor[1] else { return .nan }
        if type == 1 { return Float(bitPattern: UInt32(number(content.prefix(4)))) }
        return Float(Double(bitPattern: number(content.prefix(8))))
    }
}
