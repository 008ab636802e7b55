import Foundation
import Graft
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// `inference.GRPCInferenceService` for calls of one request and one answer: gRPC over HTTP/2.
///
/// Source: grpc.github.io/grpc/core/md_doc__p_r_o_t_o_c_o_l-_h_t_t_p2.html.
struct GRPCGate: HTTPResponder {
    typealias Context = ServeContext

    let models: ModelStore
    let access: Access
    let logger: Logger
    let timeout: Duration
    let serverVersion: String

    private static let service = "/inference.GRPCInferenceService/"

    func respond(to request: Request, context: ServeContext) async throws -> Response {
        let start = ContinuousClock.now
        let path = request.uri.path
        // Metrics and logs have a name for what there is, and one for the rest.
        let method = path.hasPrefix(Self.service) ? String(path.dropFirst(Self.service.count)) : ""
        let label = Self.methods.contains(method) ? "grpc/\(method)" : "grpc/other"
        var (status, message, answer) = (GRPCStatus.ok, "", ProtobufWriter())
        do {
            guard Self.methods.contains(method), request.method == .post else { throw GRPCStatus.unimplemented }
            try access.check(request, isOpen: ["ServerLive", "ServerReady"].contains(method))
            let deadline = start + min(timeout, Self.timeout(request.headers[.grpcTimeout]) ?? timeout)
            let call = Call(request: request, parameters: [:], deadline: deadline, logger: logger)
            answer = try await models.machinery.bodies.withBody(of: call) { body in
                try await self.answer(method, try unframed(body, request.headers[.grpcEncoding]), call)
            }
        } catch let error as HTTPParserError {
            throw error
        } catch {
            (status, message) = Self.status(of: error, logger)
        }
        let seconds = (ContinuousClock.now - start).inSeconds
        models.machinery.metrics.count(label, status: status.rawValue, seconds: seconds)
        logger.info(
            "grpc",
            metadata: [
                "path": .string(String(path.prefix(256))), "status": .stringConvertible(status.rawValue),
                "ms": .stringConvertible((seconds * 1e5).rounded() / 100),
            ])
        return Self.response(status, message, status == .ok ? Self.framed(answer.bytes) : nil)
    }

    // MARK: Calls

    private static let methods: Set<String> = [
        "ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelConfig", "RepositoryIndex",
        "ModelInfer",
    ]

    private func answer(_ method: String, _ bytes: [UInt8], _ call: Call) async throws -> ProtobufWriter {
        switch method {
        case "ServerLive": return GRPCMessages.flag(true)
        case "ServerReady": return GRPCMessages.flag(models.isReady)
        case "ServerMetadata": return GRPCMessages.server(version: serverVersion)
        case "RepositoryIndex": return GRPCMessages.index(models.all.map(\.name))
        case "ModelInfer": return try await infer(bytes, call)
        default:
            let (name, version) = try GRPCMessages.nameAndVersion(bytes)
            let model = try model(name, version)
            switch method {
            case "ModelReady": return GRPCMessages.flag(models.isReady)
            case "ModelMetadata": return GRPCMessages.metadata(of: model)
            default: return GRPCMessages.configuration(of: model, batchLimit: models.machinery.admission.limit)
            }
        }
    }

    private func model(_ name: String, _ version: String) throws(Refusal) -> ServedModel {
        let found = try models.model(name)
        guard version.isEmpty || version == ProtocolRoutes.version else {
            throw .notFound("model \(name) has no version '\(version)'; it has \(ProtocolRoutes.version)")
        }
        return found
    }

    private func infer(_ bytes: [UInt8], _ call: Call) async throws -> ProtobufWriter {
        let machinery = models.machinery
        try machinery.admission.checkRoom()
        let message = try GRPCMessages.inferRequest(bytes)
        let model = try model(message.model, message.version)
        let start = ContinuousClock.now
        let images = try InferImages(message.request, for: model, limit: machinery.admission.limit)
        let answers = try await machinery.admission.admit(images.count) {
            try await images.answers(by: model, deadline: call.deadline, machinery)
        }
        let response = InferResponse(model: model, request: message.request, answers: answers)
        let written = try GRPCMessages.inferResponse(response)
        machinery.metrics.count(
            inferenceOf: model.name, succeeded: true, seconds: (ContinuousClock.now - start).inSeconds)
        return written
    }

    // MARK: Frames

    /// The message of a body: one byte that says whether it is packed, its length in four bytes, big-endian, and itself.
    private func unframed(_ body: ByteBuffer, _ encoding: String?) throws(Refusal) -> [UInt8] {
        let bytes = Array(body.readableBytesView)
        guard bytes.count >= 5 else { throw .badRequest("the call has no message") }
        let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count == 5 + length else {
            throw .badRequest("the message has \(length) bytes by its length, and \(bytes.count - 5) follow")
        }
        let message = Array(bytes[5...])
        guard bytes[0] != 0 else { return message }
        guard let packing = try Packing(of: encoding) else {
            throw .badRequest("the message is packed, and grpc-encoding does not say how")
        }
        return try packing.unpack(message, limit: models.machinery.bodies.limit)
    }

    private static func framed(_ message: [UInt8]) -> [UInt8] {
        [0] + (0..<4).map { UInt8(truncatingIfNeeded: message.count >> (24 - 8 * $0)) } + message
    }

    private static func response(_ status: GRPCStatus, _ message: String, _ body: [UInt8]?) -> Response {
        var trailers = HTTPFields()
        trailers[.grpcStatus] = String(status.rawValue)
        if !message.isEmpty { trailers[.grpcMessage] = encoded(message) }
        let content = ResponseBody { [trailers] writer in
            if let body { try await writer.write(ByteBuffer(bytes: body)) }
            try await writer.finish(trailers)
        }
        return Response(status: .ok, headers: [.contentType: "application/grpc"], body: content)
    }

    /// Printable ASCII as it is, all else and `%` as `%XX`.
    private static func encoded(_ message: String) -> String {
        message.utf8.map { byte in
            (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "%")
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    /// `grpc-timeout`: up to eight digits and a unit.
    static func timeout(_ text: String?) -> Duration? {
        guard let text, let unit = text.last, text.utf8.count <= 9, let number = Int64(text.dropLast()), number >= 0
        else { return nil }
        switch unit {
        case "H": return .seconds(number * 3600)
        case "M": return .seconds(number * 60)
        case "S": return .seconds(number)
        case "m": return .milliseconds(number)
        case "u": return .microseconds(number)
        case "n": return .nanoseconds(number)
        default: return nil
        }
    }

    private static func status(of error: any Error, _ logger: Logger) -> (GRPCStatus, String) {
        if error is GRPCStatus {
            return (
                .unimplemented, "this server does not do that; it answers " + methods.sorted().joined(separator: ", ")
            )
        }
        if let refusal = (error as? Refusal) ?? (error as? GraftError).flatMap({ Refusal($0) }) {
            return (GRPCStatus(of: refusal.status), refusal.message)
        }
        logger.error("failed", metadata: ["error": .string("\(error)")])
        return (.internalError, "the server failed; its log says why")
    }
}

/// gRPC's status codes that are used.
enum GRPCStatus: Int, Error {
    case ok = 0
    case invalidArgument = 3
    case notFound = 5
    case permissionDenied = 7
    case resourceExhausted = 8
    case unimplemented = 12
    case internalError = 13
    case unavailable = 14
    case unauthenticated = 16

    init(of status: HTTPResponse.Status) {
        switch status {
        case .unauthorized: self = .unauthenticated
        case .forbidden, .misdirectedRequest: self = .permissionDenied
        case .notFound: self = .notFound
        case .contentTooLarge, .tooManyRequests: self = .resourceExhausted
        case .serviceUnavailable: self = .unavailable
        case .internalServerError: self = .internalError
        default: self = .invalidArgument
        }
    }
}

extension HTTPField.Name {
    static let grpcStatus = known("grpc-status")
    static let grpcMessage = known("grpc-message")
    static let grpcEncoding = known("grpc-encoding")
    static let grpcTimeout = known("grpc-timeout")
}
