import Graft
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// What Hummingbird hands a request over with.
struct ServeContext: RequestContext {
    var coreContext: CoreRequestContextStorage

    init(source: Source) { coreContext = .init(source: source) }
}

/// Where every request comes in: who may ask, which route answers, what is counted and logged, and how errors look.
struct Gate: HTTPResponder {
    typealias Context = ServeContext

    let routes: RouteTable
    let access: Access
    let metrics: Metrics
    let logger: Logger
    /// How long an answer may take.
    let timeout: Duration

    func respond(to request: Request, context: ServeContext) async throws -> Response {
        let start = ContinuousClock.now
        var label = "none"
        var response: Response
        do {
            let (route, parameters) = try routes.find(request.method, request.uri.path)
            label = route.label
            try access.check(request, isOpen: route.isOpen)
            let call = Call(
                request: request, parameters: parameters, deadline: start + timeout, logger: logger)
            response = try await route.handler(call)
        } catch let error as HTTPParserError {
            // The request itself is broken: Hummingbird answers 400 and closes the connection.
            throw error
        } catch {
            response = Answer.problem(refusal(error))
        }
        finish(&response, request)
        let seconds = (ContinuousClock.now - start).inSeconds
        metrics.count(label, status: response.status.code, seconds: seconds)
        logger.info(
            "request",
            metadata: [
                "method": .string(request.method.rawValue), "path": .string(String(request.uri.path.prefix(256))),
                "status": .stringConvertible(response.status.code),
                "ms": .stringConvertible((seconds * 1e5).rounded() / 100),
                "bytes": .stringConvertible(response.body.contentLength ?? -1),
            ])
        return response
    }

    private func refusal(_ error: any Error) -> Refusal {
        if let refusal = error as? Refusal { return refusal }
        if let error = error as? GraftError, let refusal = Refusal(error) { return refusal }
        logger.error("failed", metadata: ["error": .string("\(error)")])
        return Refusal(.internalServerError, "the server failed; its log says why")
    }

    private func finish(_ response: inout Response, _ request: Request) {
        response.headers[.contentTypeOptions] = "nosniff"
        if request.method == .head {
            let length = response.headers[.contentLength]
            response = response.createHeadResponse()
            if let length { response.headers[.contentLength] = length }
        }
    }
}

extension Duration {
    /// Seconds, with fractions.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
