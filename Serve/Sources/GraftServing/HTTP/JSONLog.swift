import Foundation
import Graft
import Logging
import Synchronization

/// Logs as JSON objects, one a line, on standard error: what clients send stands in them as text, never raw.
struct JSONLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level = .info
    private let label: String

    init(label: String) { self.label = label }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var object = JSONObject()
        object.add("time", .string(Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))))
        object.add("level", .string(event.level.rawValue))
        object.add("message", .string(event.message.description))
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (name, value) in all.sorted(by: { $0.key < $1.key }) where name != "hb.request.id" {
            object.add(name, Self.value(value))
        }
        Self.write(object.line + "\n")
    }

    private static func value(_ value: Logger.MetadataValue) -> JSONObject.Value {
        guard case .stringConvertible(let content) = value else { return .string("\(value)") }
        switch content {
        case let number as Int: return .int(number)
        case let number as Double: return .number(number)
        default: return .string("\(content)")
        }
    }

    private static let turn = Mutex(())

    /// Whole lines, from whatever threads.
    private static func write(_ line: String) {
        turn.withLock { _ in try? FileHandle.standardError.write(contentsOf: Data(line.utf8)) }
    }
}
