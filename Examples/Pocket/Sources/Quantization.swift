import Foundation
import Graft

/// Writes a network's variables as a safetensors file of about a byte a weight: kernels as whole numbers of 8 bits with a
/// scale for each output channel, everything else as floats of 32 bits.
enum Quantization {
    static func write(_ model: Model, to path: String) throws {
        var arrays: [(name: String, type: String, shape: [Int], bytes: Data)] = []
        for variable in model.variables {
            let (values, shape) = (variable.value.scalars, variable.shape.dimensions)
            guard shape.count == 4 else {
                arrays.append((variable.path, "F32", shape, Self.bytes(values)))
                continue
            }
            let channels = shape[3]
            var scales = [Float](repeating: 0, count: channels)
            for (index, value) in values.enumerated() {
                scales[index % channels] = max(scales[index % channels], abs(value))
            }
            scales = scales.map { max($0 / 127, .leastNormalMagnitude) }
            let whole = values.enumerated().map { Int8(($1 / scales[$0 % channels]).rounded()) }
            arrays.append((variable.path, "I8", shape, whole.withUnsafeBytes { Data($0) }))
            arrays.append((variable.path + ".scale", "F32", [channels], Self.bytes(scales)))
        }
        var (entries, offset) = ([String](), 0)
        for array in arrays {
            let end = offset + array.bytes.count
            entries.append(
                "\"\(array.name)\":{\"dtype\":\"\(array.type)\",\"shape\":\(array.shape),\"data_offsets\":[\(offset),\(end)]}"
            )
            offset = end
        }
        var header = Data("{\(entries.joined(separator: ","))}".utf8)
        header += Data(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        var file = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
        for array in arrays { file += array.bytes }
        try file.write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    private static func bytes(_ values: [Float]) -> Data {
        Data(values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } })
    }
}
