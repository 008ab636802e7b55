import Graft
import Hummingbird

/// `POST /predict`: what `graft predict --json` says, for images that are sent.
struct PredictRoutes: Sendable {
    let models: ModelStore

    var routes: [Route] {
        [
            Route(.post, "/predict") { call in try await predict(call, model: nil) },
            Route(.post, "/models/{model}/predict") { call in try await predict(call, model: call.parameters["model"])
            },
        ]
    }

    private func predict(_ call: Call, model name: String?) async throws -> Response {
        let machinery = models.machinery
        try machinery.admission.checkRoom()
        return try await machinery.bodies.withBody(of: call) { body in
            let request = try PredictRequest(body, of: call)
            let model = try models.model(name ?? request.model)
            let start = ContinuousClock.now
            let answers = try await machinery.admission.admit(request.images.count) {
                await results(for: request.images, model, call, machinery)
            }
            let isAnswered = answers.contains { if case .success = $0 { true } else { false } }
            machinery.metrics.count(
                inferenceOf: model.name, succeeded: isAnswered, seconds: (ContinuousClock.now - start).inSeconds)
            // Where nothing could be answered, the request was wrong as a whole.
            if !isAnswered, case .failure(let error)? = answers.first { throw error }
            var object = JSONObject()
            object.add("model", .string(model.name))
            object.add(
                "predictions",
                .objects(zip(request.images, answers).map { Self.shown($0.name, $1, model, top: request.top) }))
            return Answer.json(object)
        }
    }

    private func results(
        for images: [PredictRequest.Image], _ model: ServedModel, _ call: Call, _ machinery: Machinery
    ) async -> [Result<Classification, any Error>] {
        await withTaskGroup(of: (Int, Result<Classification, any Error>).self) { group in
            for (number, image) in images.enumerated() {
                group.addTask {
                    do {
                        let answer = try await model.answer(
                            image.bytes, named: image.name, deadline: call.deadline, machinery)
                        return (number, .success(answer))
                    } catch {
                        return (number, .failure(error))
                    }
                }
            }
            var answers = [Result<Classification, any Error>?](repeating: nil, count: images.count)
            for await (number, answer) in group { answers[number] = answer }
            return answers.compactMap(\.self)
        }
    }

    /// A line of `graft predict --json`.
    private static func shown(
        _ name: String, _ answer: Result<Classification, any Error>, _ model: ServedModel, top: Int?
    ) -> JSONObject {
        switch answer {
        case .success(let answer): return PredictionText(answer, of: model.classifier.outputs, top: top).object
        case .failure(let error):
            var object = JSONObject(event: "error")
            object.add("path", .string(name))
            let message = (error as? Refusal)?.message ?? (error as? GraftError)?.message ?? "it could not be answered"
            object.add("message", .string(message))
            return object
        }
    }
}
