import HTTPTypes
import Hummingbird
import NIOCore

/// Files of pages, which are part of the program: no request names a file.
enum Page {
    /// What a page may do: load its own files, ask its own server, and nothing else.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        + "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

    static func html(_ bytes: [UInt8]) -> Response { page(bytes, "text/html; charset=utf-8") }
    static func script(_ bytes: [UInt8]) -> Response { page(bytes, "text/javascript; charset=utf-8") }
    static func style(_ bytes: [UInt8]) -> Response { page(bytes, "text/css; charset=utf-8") }

    private static func page(_ bytes: [UInt8], _ type: String) -> Response {
        var response = Answer.bytes(ByteBuffer(bytes: bytes), type: type)
        response.headers[.contentSecurityPolicy] = policy
        response.headers[.frameOptions] = "DENY"
        response.headers[.referrerPolicy] = "no-referrer"
        response.headers[.cacheControl] = "no-cache"
        return response
    }
}
