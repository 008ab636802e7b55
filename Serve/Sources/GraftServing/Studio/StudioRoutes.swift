import Foundation
import Graft
import HTTPTypes
import Hummingbird
import NIOCore

/// What the studio's page asks for.
struct StudioRoutes: Sendable {
    let project: Project
    let training: StudioTraining
    let hub: EventHub
    let machinery: Machinery

    private static let thumbnailSide = 160

    var routes: [Route] {
        [
            Route(.get, "/", isOpen: true) { _ in Page.html(PackageResources.studio_html) },
            Route(.get, "/studio.js", isOpen: true) { _ in Page.script(PackageResources.studio_js) },
            Route(.get, "/studio.css", isOpen: true) { _ in Page.style(PackageResources.studio_css) },
            Route(.get, "/page.css", isOpen: true) { _ in Page.style(PackageResources.page_css) },
            Route(.get, "/health/live", isOpen: true) { _ in Answer.text("live\n", type: "text/plain") },
            Route(.get, "/api/project") { _ in Answer.json(StudioDescription(project, training).object) },
            Route(.get, "/api/events", events),
            change("/api/classes") { call in try project.addClass(try await text("name", call)) },
            change("/api/classes/{class}/rename") { call in
                try project.renameClass(call.parameters["class"] ?? "", to: try await text("name", call))
            },
            change("/api/classes/{class}/remove") { call in try project.removeClass(call.parameters["class"] ?? "") },
            Route(.post, "/api/classes/{class}/images", guarded(addImage)),
            Route(.get, "/api/classes/{class}/images/{image}", thumbnail),
            change("/api/classes/{class}/images/{image}/remove") { call in
                try project.removeImage(call.parameters["image"] ?? "", ofClass: call.parameters["class"] ?? "")
            },
            change("/api/classes/{class}/images/{image}/move") { call in
                try project.moveImage(
                    call.parameters["image"] ?? "", ofClass: call.parameters["class"] ?? "",
                    to: try await text("class", call))
            },
            Route(.post, "/api/train", guarded(train)),
            Route(
                .post, "/api/train/stop",
                guarded { _ in
                    training.stop()
                    return Answer.json(JSONObject())
                }),
            Route(.post, "/api/try", guarded(tryImage)),
            Route(.get, "/api/mistakes", mistakes), Route(.get, "/api/download/{file}", download),
        ]
    }

    // MARK: Changes

    /// A change of the project, which other pages are told of.
    private func change(_ pattern: String, _ work: @escaping @Sendable (Call) async throws -> Void) -> Route {
        Route(
            .post, pattern,
            guarded { call in
                try await work(call)
                hub.send(JSONObject(event: "project").line)
                return Answer.json(JSONObject())
            })
    }

    /// A page of another site can send a form, but no header of ours without asking first, which is refused.
    private func guarded(_ handler: @escaping Route.Handler) -> Route.Handler {
        { call in
            guard call.header(.studio) != nil else {
                throw Refusal(.forbidden, "this is for the studio's page: X-Graft-Studio: 1")
            }
            return try await handler(call)
        }
    }

    private func json(_ call: Call) async throws -> Configuration {
        try await machinery.bodies.withBody(of: call) { body in
            let object = try Configuration(json: Array(body.readableBytesView))
            guard object.members != nil else { throw Refusal.badRequest("the body is no JSON object") }
            return object
        }
    }

    private func text(_ name: String, _ call: Call) async throws -> String {
        guard let text = try await json(call)[name]?.text else { throw Refusal.badRequest("\(name): needs a text") }
        return text
    }

    // MARK: Images

    @Sendable private func addImage(_ call: Call) async throws -> Response {
        try await machinery.bodies.withBody(of: call) { body in
            let bytes = Array(body.readableBytesView)
            // What cannot be decoded is refused here, and not found out in training.
            _ = try await machinery.decoding.perform { try ImageThumbnail.jpeg(of: bytes, side: Self.thumbnailSide) }
            let added = try project.addImage(
                bytes, named: call.query("name") ?? "image.jpg", toClass: call.parameters["class"] ?? "")
            hub.send(JSONObject(event: "project").line)
            var object = JSONObject()
            object.add("name", .string(added.name))
            object.add("new", .bool(added.isNew))
            return Answer.json(object)
        }
    }

    @Sendable private func thumbnail(_ call: Call) async throws -> Response {
        let path = try project.path(ofImage: call.parameters["image"] ?? "", inClass: call.parameters["class"] ?? "")
        let side = try call.number("side", in: 16...1024) ?? Self.thumbnailSide
        let jpeg = try await machinery.decoding.perform { () throws -> [UInt8] in
            let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? .max
            guard size <= machinery.bodies.limit, let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
                throw Refusal.notFound("the image cannot be read")
            }
            return try ImageThumbnail.jpeg(of: [UInt8](data), side: side)
        }
        var response = Answer.bytes(ByteBuffer(bytes: jpeg), type: "image/jpeg")
        response.headers[.cacheControl] = "private, max-age=60"
        return response
    }

    @Sendable private func tryImage(_ call: Call) async throws -> Response {
        try await machinery.bodies.withBody(of: call) { body in
            let bytes = Array(body.readableBytesView)
            return try await machinery.admission.admit(1) {
                let (answer, map) = try await machinery.compute.result {
                    let classifier = try training.result.classifier()
                    let image = try classifier.prepare(bytes, pixelLimit: machinery.pixelLimit)
                    let rows = Tensor(image.scalars, shape: Shape([1] + image.shape.dimensions))
                    let answer = try classifier.classify(prepared: rows, names: ["the image"], batchSize: 1)[0]
                    return (
                        PredictionText(answer, of: classifier.outputs, top: nil).object,
                        try classifier.heatMap(ofPrepared: image)
                    )
                }
                var object = JSONObject()
                object.add("prediction", .object(answer))
                object.add("heat", map.map { .string(Data($0).base64EncodedString()) } ?? .null)
                return Answer.json(object)
            }
        }
    }

    // MARK: Training

    @Sendable private func train(_ call: Call) async throws -> Response {
        let object = try await json(call)
        var choice = StudioTraining.Choice()
        if let base = object["base"]?.text { choice.base = base }
        choice.minutes = object["minutes"]?.number
        choice.epochs = object["epochs"]?.integer
        choice.augmentation = object["augmentation"]?.text
        if let minutes = choice.minutes, !(0.01...10_000).contains(minutes) {
            throw Refusal.badRequest("minutes: got \(minutes), needs 0.01 to 10000")
        }
        if let epochs = choice.epochs, !(1...10_000).contains(epochs) {
            throw Refusal.badRequest("epochs: got \(epochs), needs 1 to 10000")
        }
        try training.start(choice)
        return Answer.json(JSONObject())
    }

    @Sendable private func mistakes(_ call: Call) async throws -> Response {
        let found = try await machinery.compute.result { try training.result.mistakes(in: project.folder) }
        var object = JSONObject()
        object.add(
            "mistakes",
            .objects(
                found.prefix(200).map { mistake in
                    var entry = JSONObject()
                    entry.add("class", .string(mistake.className))
                    entry.add("image", .string(mistake.image))
                    entry.add("predicted", .string(mistake.predicted))
                    entry.add("probability", .number(mistake.probability))
                    return entry
                }))
        return Answer.json(object)
    }

    /// Events from now on, after all that a page needs to know first.
    @Sendable private func events(_ call: Call) async throws -> Response {
        let stream = try hub.listen()
        let first = training.line
        let body = ResponseBody { writer in
            try await writer.write(ByteBuffer(string: "retry: 1000\ndata: \(first)\n\n"))
            for await event in stream { try await writer.write(ByteBuffer(string: event)) }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    /// The model, as Keras has it and as ONNX.
    @Sendable private func download(_ call: Call) async throws -> Response {
        let stem = URL(fileURLWithPath: project.modelPath).deletingPathExtension().lastPathComponent
        let bytes: [UInt8]
        let ending: String
        switch call.parameters["file"] {
        case "model.keras":
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: project.modelPath)) else {
                throw Refusal.notFound("there is no model yet; train one first")
            }
            (bytes, ending) = ([UInt8](data), "keras")
        case "model.onnx":
            (bytes, ending) = (try await machinery.compute.result { try exported() }, "onnx")
        default: throw Refusal.notFound("there is model.keras and model.onnx")
        }
        var response = Answer.bytes(ByteBuffer(bytes: bytes), type: "application/octet-stream")
        let name = ProjectNames.fileName(stem).dropLast(4).filter { $0.isASCII } + "." + ending
        response.headers[.contentDisposition] = "attachment; filename=\"\(name)\""
        return response
    }

    private func exported() throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appending(path: "graft-\(UUID().uuidString).onnx")
        defer { try? FileManager.default.removeItem(at: file) }
        try training.result.classifier().model.exportONNX(to: file.path)
        return [UInt8](try Data(contentsOf: file))
    }
}
