import Graft
import HTTPTypes
import Hummingbird
import NIOCore

/// The kinds of responses that the server gives.
enum Answer {
    static func json(_ object: JSONObject, status: HTTPResponse.Status = .ok) -> Response {
        text(object.line + "\n", type: "application/json", status: status)
    }

    static func text(_ text: String, type: String, status: HTTPResponse.Status = .ok) -> Response {
        bytes(ByteBuffer(string: text), type: type, status: status)
    }

    static func bytes(_ buffer: ByteBuffer, type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: buffer))
    }

    static func empty(_ status: HTTPResponse.Status = .ok) -> Response { Response(status: status) }

    /// Errors are JSON with one member, as the Open Inference Protocol has them.
    static func problem(_ refusal: Refusal) -> Response {
        var object = JSONObject()
        object.add("error", .string(refusal.message))
        var response = json(object, status: refusal.status)
        if let seconds = refusal.retryAfter { response.headers[.retryAfter] = String(seconds) }
        return response
    }
}

extension HTTPField.Name {
    /// Bytes of JSON before the tensors of a body.
    static let inferenceHeaderLength = known("Inference-Header-Content-Length")
    /// What the studio's page sends with a change.
    static let studio = known("X-Graft-Studio")
    static let contentTypeOptions = known("X-Content-Type-Options")
    static let frameOptions = known("X-Frame-Options")
    static let referrerPolicy = known("Referrer-Policy")

    /// A name that is written here.
    static func known(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no name of a header field") }
        return name
    }
}
