import Foundation
import Graft
import Synchronization

/// Where a command's words go.
///
/// With `--json`, standard output carries one JSON object a line and people's text goes to standard error; without it,
/// people's text goes to standard output. Errors always go to standard error.
///
/// Names of files and classes, and what files hold, come from others: whatever in them would steer a terminal is written as an
/// escape, here and nowhere else.
final class Console: Sendable {
    let isJSON: Bool
    /// Whether people's text is read on a terminal, where a progress line may rewrite itself.
    let isTerminal: Bool
    /// The columns that a line may take.
    let width: Int
    private let hasOpenLine = Mutex(false)
    private let failure = Mutex<Int32?>(nil)

    /// Why something that was printed on standard output did not arrive, other than that its reader has gone; `nil` where all
    /// did. A full disk behind `graft predict … > classes.txt` must not pass for success.
    var outputFailure: GraftError? {
        failure.withLock(\.self).map { FileFailure.error("standard output was not written to its end", number: $0) }
    }

    init(json: Bool) {
        isJSON = json
        let stream = json ? FileHandle.standardError : FileHandle.standardOutput
        isTerminal = isatty(stream.fileDescriptor) == 1
        width = isTerminal ? Self.terminalWidth(stream.fileDescriptor) : 100
    }

    /// Prints a line for people.
    func say(_ line: String) {
        closeProgressLine()
        write(line.printable + "\n", to: isJSON ? FileHandle.standardError : FileHandle.standardOutput)
    }

    /// Prints a text of several lines for people.
    func say(lines text: String) {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { say(String(line)) }
    }

    /// Prints a line about something that needs attention but stops nothing.
    func warn(_ line: String) {
        complain("warning: \(line)")
    }

    /// Prints a heading and what belongs under it, the first few where there are many; nothing where there is nothing.
    func list(_ lines: [String], title: String, most: Int = 10) {
        guard !lines.isEmpty else { return }
        say("\(lines.count.grouped) \(title):")
        for line in lines.prefix(most) { say("  \(line)") }
        if lines.count > most { say("  and \((lines.count - most).grouped) more") }
    }

    /// Prints what is wrong with one thing among several; the command goes on.
    func complain(_ line: String) {
        closeProgressLine()
        write("graft: \(line.printable)\n", to: FileHandle.standardError)
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

    /// Rewrites the last line on a terminal; silent elsewhere, where the line is not made either.
    func progress(_ line: @autoclosure () -> ProgressLine) { if isTerminal { progress(line().text(width: width)) } }

    /// Rewrites the last line on a terminal with a few words; silent elsewhere.
    func progress(_ line: String) {
        guard isTerminal else { return }
        hasOpenLine.withLock { $0 = true }
        write("\r\u{1B}[K" + line.printable, to: isJSON ? FileHandle.standardError : FileHandle.standardOutput)
    }

    /// Clears an unfinished progress line.
    func closeProgressLine() {
        let wasOpen = hasOpenLine.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        if wasOpen { write("\r\u{1B}[K", to: isJSON ? FileHandle.standardError : FileHandle.standardOutput) }
    }

    /// Lets the command go on where its reader has gone (`graft train … | head -1`): for verbs whose result is a file.
    ///
    /// The others end quietly with the pipe, as every tool that prints does.
    func outliveReader() { signal(SIGPIPE, SIG_IGN) }

    /// What cannot be written is dropped; where that was on standard output and its reader is still there, it is remembered.
    private func write(_ text: String, to handle: FileHandle) {
        let number = handle.fileDescriptor
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(number, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if number == STDOUT_FILENO, errno != EPIPE, errno != EIO { note(errno) }
                return
            }
            bytes.removeFirst(count)
        }
    }

    private func note(_ number: Int32) { failure.withLock { $0 = $0 ?? number } }

    private static func terminalWidth(_ descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return max(20, Int(size.ws_col))
    }
}
