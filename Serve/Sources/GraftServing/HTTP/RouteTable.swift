import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// One request on its way through a route.
struct Call: Sendable {
    let request: Request
    /// What the path has in the places of names.
    let parameters: [String: String]
    /// When the answer is no longer worth the work.
    let deadline: ContinuousClock.Instant
    let logger: Logger

    /// A parameter of the query; the first where there are several.
    func query(_ name: String) -> String? {
        request.uri.queryParameters.first { $0.key == Substring(name) }.map { String($0.value) }
    }

    /// A header field.
    func header(_ name: HTTPField.Name) -> String? { request.headers[name] }

    /// A parameter of the query that is a whole number in a range.
    func number(_ name: String, in range: ClosedRange<Int>) throws(Refusal) -> Int? {
        guard let text = query(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .badRequest(
                "\(name): got '\(text)', needs a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

/// A method and a path with what answers it.
struct Route: Sendable {
    typealias Handler = @Sendable (Call) async throws -> Response

    enum Part: Sendable, Equatable {
        case word(String)
        /// Anything but nothing.
        case name(String)
    }

    let method: HTTPRequest.Method
    let parts: [Part]
    /// What metrics and logs call it: its pattern, so that their number does not grow with what clients ask.
    let label: String
    /// Whether it is answered without the token.
    let isOpen: Bool
    let handler: Handler

    /// - Parameter pattern: such as `/v2/models/{model}/infer`.
    init(
        _ method: HTTPRequest.Method, _ pattern: String, isOpen: Bool = false, _ handler: @escaping Handler
    ) {
        (self.method, label, self.isOpen, self.handler) = (method, pattern, isOpen, handler)
        parts = pattern.split(separator: "/").map { part in
            part.hasPrefix("{") ? .name(String(part.dropFirst().dropLast())) : .word(String(part))
        }
    }

    /// The names' values where a path is of this pattern.
    fileprivate func match(_ path: [String]) -> [String: String]? {
        guard path.count == parts.count else { return nil }
        var parameters: [String: String] = [:]
        for (part, text) in zip(parts, path) {
            switch part {
            case .word(let word): if Array(word.utf8) != Array(text.utf8) { return nil }
            case .name(let name): parameters[name] = text
            }
        }
        return parameters
    }
}

/// All that the server answers.
struct RouteTable: Sendable {
    private(set) var routes: [Route]

    /// More than any path of ours has.
    private static let (longestPath, mostParts) = (4096, 16)

    init(_ routes: [Route]) { self.routes = routes }

    /// The route of a request, and what its path has in the places of names.
    ///
    /// - Throws: 404 for a path that is none of ours, 405 for another method.
    func find(_ method: HTTPRequest.Method, _ path: String) throws(Refusal) -> (Route, [String: String]) {
        guard path.utf8.count <= Self.longestPath else {
            throw Refusal(.uriTooLong, "the path has more than \(Self.longestPath) bytes")
        }
        let parts = path.split(separator: "/", maxSplits: Self.mostParts).map {
            $0.removingPercentEncoding ?? String($0)
        }
        // What answers GET answers HEAD; the body is left out.
        let wanted = method == .head ? .get : method
        var allowed: [String] = []
        for route in routes {
            guard let parameters = route.match(parts) else { continue }
            if route.method == wanted { return (route, parameters) }
            if !allowed.contains(route.method.rawValue) { allowed.append(route.method.rawValue) }
        }
        guard allowed.isEmpty else {
            throw Refusal(
                .methodNotAllowed,
                "\(method.rawValue) is not for this address; it takes \(allowed.joined(separator: ", "))")
        }
        throw .notFound("there is nothing at this address; GET /openapi.json says what there is")
    }
}
