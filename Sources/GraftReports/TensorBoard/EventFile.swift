import Foundation
import GraftModel

/// A file of events that TensorBoard reads: records with checksums, each one `Event` message.
///
/// Source: tensorflow/core/util/event.proto, tensorflow/core/lib/io/record_writer.h.
final class EventFile {
    let path: String
    /// Where the next record begins.
    private(set) var end: Int
    private let file: File

    /// A new file in this folder, which is made where it is not there.
    init(in folder: String) throws {
        try Disk.makeFolder(folder)
        let seconds = String(Int(Date().timeIntervalSince1970))
        let number = String(UInt32.random(in: 0...UInt32.max))
        path = "\(folder)/events.out.tfevents.\(seconds).\(Self.hostName).\(getpid()).\(number).v2"
        (file, end) = (try File(creating: path), 0)
        var event = ProtobufWriter()
        event.add(3, "brain.Event:2")
        try write(event, step: nil)
    }

    /// A file that is there, cut off after so many bytes; `nil` where it is gone or has fewer.
    init?(resuming path: String, at end: Int) throws {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let file = try File(ensuring: path)
        guard file.byteCount >= end else { return nil }
        try file.truncate(to: end)
        (self.path, self.end, self.file) = (path, end, file)
    }

    /// Adds a value at a step.
    func add(_ summary: TensorBoardSummary, step: Int) throws {
        var event = ProtobufWriter()
        event.add(5, summary.message)
        try write(event, step: step)
    }

    private func write(_ event: ProtobufWriter, step: Int?) throws {
        var message = ProtobufWriter()
        message.add(1, Date().timeIntervalSince1970)
        if let step { message.add(2, step) }
        let data = message.bytes + event.bytes
        let length = UInt64(data.count).littleEndianBytes
        var record = length + CRC32C.masked(length).littleEndianBytes + data + CRC32C.masked(data).littleEndianBytes
        try record.withUnsafeMutableBytes { try file.write(UnsafeRawBufferPointer($0), at: end) }
        end += record.count
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        let bytes = name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        let text = String(decoding: bytes, as: UTF8.self).filter { $0 != "/" }
        return text.isEmpty ? "localhost" : text
    }
}

extension FixedWidthInteger {
    /// The number's bytes, the lowest first.
    var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
