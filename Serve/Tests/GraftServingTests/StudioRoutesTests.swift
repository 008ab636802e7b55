import Foundation
import Graft
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import GraftServing

@Suite final class StudioRoutesTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "graft-studio-\(UUID().uuidString)")
        .path
    private let gate: Gate
    private let project: Project

    init() throws {
        let machinery = Machinery(threads: 1, queue: 4, bodyLimit: 1 << 20, totalBodyLimit: 8 << 20)
        let hub = EventHub()
        project = try Project(folder: folder)
        let training = StudioTraining(
            project, hub, StudioModel(path: folder + ".keras", threads: 1), threads: 1)
        let routes = StudioRoutes(project: project, training: training, hub: hub, machinery: machinery).routes
        gate = Gate(
            routes: RouteTable(routes), access: Access(hosts: Access.loopbackHosts), metrics: machinery.metrics,
            logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() },
            timeout: .seconds(10))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func ask(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8] = [], _ fields: HTTPFields = [.studio: "1"]
    ) async throws -> (status: Int, body: [UInt8]) {
        let request = Request(
            head: HTTPRequest(
                method: method, scheme: "http", authority: "localhost:1", path: path, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer(bytes: body)))
        let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
        let context = ServeContext(source: ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: logger))
        let response = try await gate.respond(to: request, context: context)
        let writer = CollectedBody()
        try await response.body.write(writer)
        return (response.status.code, await writer.bytes.value)
    }

    private func json(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func changesAreForThePageAlone() async throws {
        let name = json(#"{"name":"oak"}"#)
        #expect(try await ask(.post, "/api/classes", name, [:]).status == 403)
        #expect(
            try await ask(.post, "/api/classes", name, [.studio: "1", .origin: "http://evil.example"]).status == 403)
        #expect(project.classes.isEmpty)
        #expect(try await ask(.post, "/api/classes", name).status == 200)
        #expect(project.classes.map(\.name) == ["oak"])
        #expect(try await ask(.post, "/api/train", json("{}"), [:]).status == 403)
        #expect(try await ask(.post, "/api/try", [1], [:]).status == 403)
    }

    @Test func imagesAreLookedAtBeforeTheyAreKept() async throws {
        try project.addClass("oak")
        let image = try DrawnImages.leaves.bytes
        #expect(try await ask(.post, "/api/classes/oak/images?name=no.jpg", [1, 2, 3]).status == 400)
        #expect(try await ask(.post, "/api/classes/elm/images?name=a.png", image).status == 404)
        let added = try await ask(.post, "/api/classes/oak/images?name=..%2F..%2Fa.png", image)
        #expect(added.status == 200 && project.classes[0].images == ["a.png"])
        let small = try await ask(.get, "/api/classes/oak/images/a.png?side=32")
        #expect(small.status == 200)
        #expect(try ImageDecoder().decode(small.body).width == 32)
        #expect(try await ask(.get, "/api/classes/oak/images/a.png?side=99999").status == 400)
        #expect(try await ask(.get, "/api/classes/oak/images/..%2F..%2Fa.png").status == 404)
        let described = try Configuration(json: await ask(.get, "/api/project").body)
        #expect(described["classes"]?.elements?[0]["images"] == ["a.png"] && described["model"] == .null)
    }

    @Test func withoutAModelThatIsSaid() async throws {
        for (method, path) in [
            (HTTPRequest.Method.post, "/api/try"), (.get, "/api/mistakes"), (.get, "/api/download/model.keras"),
            (.get, "/api/download/model.onnx"), (.get, "/api/download/..%2Fx"),
        ] {
            let answer = try await ask(method, path, [1])
            #expect(answer.status == 404, "\(path)")
        }
        #expect(try await ask(.post, "/api/train", json(#"{"base":"none"}"#)).status == 400)
        #expect(try await ask(.post, "/api/train", json(#"{"epochs":0}"#)).status == 400)
        #expect(try await ask(.post, "/api/train", json(#"{"augmentation":"x"}"#)).status == 400)
    }

    @Test func onlySoManyPagesListen() throws {
        let hub = EventHub()
        let streams = try (0..<EventHub.mostListeners).map { _ in try hub.listen() }
        #expect(throws: Refusal.self) { try hub.listen() }
        #expect(streams.count == EventHub.mostListeners)
    }
}

extension DrawnImages {
    /// One of its images as a file.
    fileprivate var bytes: [UInt8] {
        get throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "graft-drawn-\(UUID().uuidString)").path
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try write(to: folder, DrawnImages.Options(train: 1, validation: 0, size: 64))
            return [UInt8](try Data(contentsOf: URL(filePath: folder + "/train/oak/1.png")))
        }
    }
}
