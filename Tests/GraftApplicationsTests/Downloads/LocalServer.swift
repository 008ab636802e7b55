import Foundation
import Testing

/// An HTTP server for one file, on this machine alone, that lives as long as the value.
///
/// `/ranges` honours `Range`, `/whole` takes no notice of it, `/broken` closes the line half-way, `/flaky` honours `Range` and sends at
/// most 120,000 bytes before it closes the line, `/other-range` sends the first bytes whatever was asked for, `/short` and `/long`
/// have other lengths than they say, `/busy` is 503, `/moved` leads to `/whole`, `/silent` answers nothing for five seconds; the rest is 404.
final class LocalServer: @unchecked Sendable {  // its constants are set before the thread starts
    private let listener: Int32
    private let contents: Data
    /// `http://127.0.0.1:PORT`.
    let url: String

    init(_ contents: Data) throws {
        self.contents = contents
        signal(SIGPIPE, SIG_IGN)  // a client may hang up while it is written to
        #if os(Linux)
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            listener = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, size) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, generic, &size) == 0
            }
        }
        try #require(bound, "no port on 127.0.0.1: \(String(cString: strerror(errno)))")
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        Thread.detachNewThread { [listener, contents] in Self.serve(contents, at: listener) }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func serve(_ contents: Data, at listener: Int32) {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            if let request = request(from: connection) { answer(request, with: contents, to: connection) }
            close(connection)
        }
    }

    private static func request(from connection: Int32) -> String? {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !text.contains("\r\n\r\n") {
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { return nil }
            text += String(decoding: buffer[0..<count], as: UTF8.self)
        }
        return text
    }

    private static func answer(_ request: String, with contents: Data, to connection: Int32) {
        let path = request.split(separator: " ").dropFirst().first ?? ""
        let range = request.split(separator: "\r\n").first { $0.lowercased().hasPrefix("range: bytes=") }
        let offset = range.flatMap { Int($0.dropFirst("range: bytes=".count).dropLast()) } ?? 0
        let total = contents.count
        switch path {
        case "/ranges" where offset > 0:
            send(
                "206 Partial Content", contents[offset...], total - offset, "bytes \(offset)-\(total - 1)/\(total)",
                connection)
        case "/ranges", "/whole":
            send("200 OK", contents, total, nil, connection)
        case "/broken":
            send("200 OK", contents.prefix(total / 2), total, nil, connection)
        case "/flaky":
            let status = offset > 0 ? "206 Partial Content" : "200 OK"
            let range = offset > 0 ? "bytes \(offset)-\(total - 1)/\(total)" : nil
            send(status, contents[offset...].prefix(120_000), total - offset, range, connection)
        case "/other-range":
            send("206 Partial Content", contents, total, "bytes 0-\(total - 1)/\(total)", connection)
        case "/short":
            send("200 OK", contents.prefix(total - 7), total - 7, nil, connection)
        case "/long":
            send("200 OK", contents + Data("more".utf8), total + 4, nil, connection)
        case "/busy":
            send("503 Service Unavailable\r\nRetry-After: 3", Data(), 0, nil, connection)
        case "/moved":
            send("302 Found\r\nLocation: /whole", Data(), 0, nil, connection)
        case "/silent":
            sleep(5)
        default:
            send("404 Not Found", Data("nothing here".utf8), 12, nil, connection)
        }
    }

    private static func send(_ status: String, _ body: Data, _ length: Int, _ range: String?, _ connection: Int32) {
        let rangeLine = range.map { "Content-Range: \($0)\r\n" } ?? ""
        let head = "HTTP/1.1 \(status)\r\nContent-Length: \(length)\r\n\(rangeLine)Connection: close\r\n\r\n"
        let bytes = Array(head.utf8) + Array(body)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            sent += count
        }
    }
}
