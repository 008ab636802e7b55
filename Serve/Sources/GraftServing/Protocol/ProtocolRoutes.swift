import Graft
import HTTPTypes
import Hummingbird

/// The Open Inference Protocol, version 2, over HTTP, with those of Triton's extensions that its client uses.
///
/// Source: github.com/open-inference-protocol; Triton's extensions binary_data, classification, model_configuration,
/// model_repository and statistics.
struct ProtocolRoutes: Sendable {
    let models: ModelStore
    /// Of Graft.
    let serverVersion: String

    /// The one version that a model has: a changed file takes its place.
    static let version = "1"

    var routes: [Route] {
        let list: [Route] = [
            Route(.get, "/v2", server),
            Route(.get, "/v2/health/live", isOpen: true) { _ in Answer.empty() },
            Route(.get, "/v2/health/ready", isOpen: true) { _ in
                Answer.empty(models.isReady ? .ok : .serviceUnavailable)
            },
            Route(.post, "/v2/repository/index", index),
            Route(.get, "/v2/models/stats") { call in statistics(models.all) },
        ]
        return list + ["", "/versions/{version}"].flatMap(modelRoutes) + unsupported
    }

    private func modelRoutes(_ version: String) -> [Route] {
        let path = "/v2/models/{model}\(version)"
        return [
            Route(.get, path) { call in Answer.json(ModelDescription(try model(call), batchLimit: batchLimit).metadata)
            },
            Route(.get, path + "/config") { call in
                Answer.json(ModelDescription(try model(call), batchLimit: batchLimit).configuration)
            },
            Route(.get, path + "/ready") { call in
                _ = try model(call)
                return Answer.empty(models.isReady ? .ok : .serviceUnavailable)
            },
            Route(.get, path + "/stats") { call in statistics([try model(call)]) },
            Route(.post, path + "/infer", infer),
        ]
    }

    /// What Triton's client may ask for and this server does not do, said in words.
    private var unsupported: [Route] {
        let refuse: Route.Handler = { _ in
            throw Refusal.badRequest("this server does not do that; GET /v2 lists the extensions that it has")
        }
        return [
            Route(.post, "/v2/repository/models/{model}/load", refuse),
            Route(.post, "/v2/repository/models/{model}/unload", refuse),
            Route(.get, "/v2/{memory}/status", refuse), Route(.post, "/v2/{memory}/unregister", refuse),
            Route(.post, "/v2/{memory}/region/{region}/register", refuse),
            Route(.post, "/v2/{memory}/region/{region}/unregister", refuse),
            Route(.get, "/v2/{memory}/region/{region}/status", refuse),
            Route(.get, "/v2/trace/setting", refuse), Route(.post, "/v2/trace/setting", refuse),
            Route(.get, "/v2/logging", refuse), Route(.post, "/v2/logging", refuse),
        ]
    }

    private var batchLimit: Int { models.machinery.admission.limit }

    private func model(_ call: Call) throws(Refusal) -> ServedModel {
        let found = try models.model(call.parameters["model"])
        if let version = call.parameters["version"], version != Self.version {
            throw .notFound("model \(found.name) has no version '\(version)'; it has \(Self.version)")
        }
        return found
    }

    @Sendable private func server(_ call: Call) async throws -> Response {
        var object = JSONObject()
        object.add("name", .string("graft"))
        object.add("version", .string(serverVersion))
        object.add(
            "extensions",
            .strings(["binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics"]))
        return Answer.json(object)
    }

    @Sendable private func index(_ call: Call) async throws -> Response {
        let entries = models.all.map { model -> JSONObject.Value in
            var object = JSONObject()
            object.add("name", .string(model.name))
            object.add("version", .string(Self.version))
            object.add("state", .string("READY"))
            object.add("reason", .string(""))
            return .object(object)
        }
        return Answer.text(JSONObject.list(entries) + "\n", type: "application/json")
    }

    private func statistics(_ wanted: [ServedModel]) -> Response {
        var object = JSONObject()
        object.add(
            "model_stats", .objects(wanted.map { ModelDescription.statistics(of: $0.name, models.machinery.metrics) }))
        return Answer.json(object)
    }

    @Sendable private func infer(_ call: Call) async throws -> Response {
        let model = try model(call)
        let machinery = models.machinery
        try machinery.admission.checkRoom()
        let headerLength = try Self.headerLength(call)
        return try await machinery.bodies.withBody(of: call) { body in
            let start = ContinuousClock.now
            do {
                let request = try InferRequest(Array(body.readableBytesView), headerLength: headerLength)
                let images = try InferImages(request, for: model, limit: batchLimit)
                let answers = try await machinery.admission.admit(images.count) {
                    try await images.answers(by: model, deadline: call.deadline, machinery)
                }
                let response = try InferResponse(model: model, request: request, answers: answers)
                    .response(packed: Packing(accepted: call.header(.acceptEncoding)))
                machinery.metrics.count(
                    inferenceOf: model.name, succeeded: true, seconds: (ContinuousClock.now - start).inSeconds)
                return response
            } catch {
                machinery.metrics.count(
                    inferenceOf: model.name, succeeded: false, seconds: (ContinuousClock.now - start).inSeconds)
                throw error
            }
        }
    }

    private static func headerLength(_ call: Call) throws(Refusal) -> Int? {
        guard let text = call.header(.inferenceHeaderLength) else { return nil }
        guard let length = Int(text), length >= 0 else {
            throw .badRequest("Inference-Header-Content-Length: got '\(text)', needs the number of bytes of JSON")
        }
        return length
    }
}
