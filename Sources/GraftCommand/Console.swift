import Foundation
import Graft
import Synchronization

/// Where a command's words go.
///
/// With `--json`, standard output carries one JSON object a line and people's text goes to standard error; without it,
/// people's text goes to standard output. Errors always go to standard error.
final class Console: Sendable {
    let isJSON: Bool
    /// Whether people's text is read on a terminal, where a progress line may rewrite itself.
    let isTerminal: Bool
    /// The columns that a line may take.
    let width: Int
    private let hasOpenLine = Mutex(false)

    init(json: Bool) {
        isJSON = json
        let stream = json ? FileHandle.standardError : FileHandle.standardOutput
        isTerminal = isatty(stream.fileDescriptor) == 1
        width = isTerminal ? Self.terminalWidth(stream.fileDescriptor) : 100
    }

    /// Prints a line for people.
    func say(_ line: String) {
        closeProgressLine()
        write(line + "\n", to: isJSON ? FileHandle.standardError : FileHandle.standardOutput)
    }

    /// Prints a line about something that needs attention but stops nothing.
    func warn(_ line: String) {
        complain("warning: \(line)")
    }

    /// Prints a heading and what belongs under it, the first few where there are many; nothing where there is nothing.
    func list(_ lines: [String], title: String, most: Int = 10) {
        guard !lines.isEmpty else { return }
        say("\(lines.count) \(title):")
        for line in lines.prefix(most) { say("  \(line)") }
        if lines.count > most { say("  and \(lines.count - most) more") }
    }

    /// Prints what is wrong with one thing among several; the command goes on.
    func complain(_ line: String) {
        closeProgressLine()
        write("graft: \(line)\n", to: FileHandle.standardError)
    }

    /// Prints why the command failed.
    func fail(_ message: String) {
        complain(message)
        var object = JSONObject(event: "error")
        object.add("message", .string(message))
        emit(object)
    }

    /// Prints an object for programs; nothing without `--json`.
    func emit(_ object: JSONObject) {
        guard isJSON else { return }
        write(object.line + "\n", to: FileHandle.standardOutput)
    }

    /// Rewrites the last line on a terminal; silent elsewhere.
    func progress(_ line: String) {
        guard isTerminal else { return }
        hasOpenLine.withLock { $0 = true }
        let text = line.count < width ? line : String(line.prefix(width - 1))
        write("\r\u{1B}[K" + text, to: isJSON ? FileHandle.standardError : FileHandle.standardOutput)
    }

    /// Clears an unfinished progress line.
    func closeProgressLine() {
        let wasOpen = hasOpenLine.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        if wasOpen { write("\r\u{1B}[K", to: isJSON ? FileHandle.standardError : FileHandle.standardOutput) }
    }

    /// A closed pipe (`graft … | head`) is not worth a crash: what cannot be written is dropped.
    private func write(_ text: String, to handle: FileHandle) {
        try? handle.write(contentsOf: Data(text.utf8))
    }

    private static func terminalWidth(_ descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return max(40, Int(size.ws_col))
    }
}

/// One line of `--json`: an object whose members keep their order.
struct JSONObject {
    private var members: [(name: String, value: Value)] = []

    /// What a member may hold.
    enum Value {
        case string(String)
        case int(Int)
        case number(Double)
        case bool(Bool)
        case strings([String])
        case object(JSONObject)
        case null
    }

    init(event: String) { members = [("event", .string(event))] }
    init() {}

    /// Adds a member at the end.
    mutating func add(_ name: String, _ value: Value) { members.append((name, value)) }

    /// The object as JSON on one line.
    var line: String {
        "{" + members.map { "\(Self.quoted($0.name)):\(Self.text($0.value))" }.joined(separator: ",") + "}"
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .string(let string): quoted(string)
        case .int(let int): String(int)
        case .number(let number): number.isFinite ? "\(number)" : "null"
        case .bool(let bool): bool ? "true" : "false"
        case .strings(let strings): "[" + strings.map(quoted).joined(separator: ",") + "]"
        case .object(let object): object.line
        case .null: "null"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
