import Graft
import HTTPTypes

/// Why a request is not answered as it asks: a status, and a sentence that says what was received, what was expected and how to
/// mend it.
struct Refusal: Error {
    let status: HTTPResponse.Status
    let message: String
    /// Seconds after which it is worth trying again; `nil` where it never is.
    var retryAfter: Int?

    init(_ status: HTTPResponse.Status, _ message: String, retryAfter: Int? = nil) {
        (self.status, self.message, self.retryAfter) = (status, message, retryAfter)
    }

    static func badRequest(_ message: String) -> Refusal { Refusal(.badRequest, message) }
    static func notFound(_ message: String) -> Refusal { Refusal(.notFound, message) }

    static func tooLarge(_ byteCount: Int?, limit: Int) -> Refusal {
        let got = byteCount.map { "\($0) bytes" } ?? "a body"
        return Refusal(
            .contentTooLarge, "the request has \(got), more than the \(limit) bytes that are taken; send less")
    }

    /// More is asked for than there is time or room for now.
    static func busy(_ message: String) -> Refusal { Refusal(.tooManyRequests, message, retryAfter: 1) }

    /// What the library says of what was sent; `nil` where the fault is the server's.
    init?(_ error: GraftError) {
        switch error.code {
        case .image, .format, .shape, .argument, .data: self = .badRequest(error.message)
        default: return nil
        }
    }
}
