import Foundation
import Graft
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import GraftServing

/// The whole way of a request but for the network, with a small model.
@Suite final class AnsweringTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "graft-answers-\(UUID().uuidString)")
        .path
    private let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func write(seed: UInt64, to name: String = "small.keras") throws {
        let input = Input(shape: [8, 8, 3])
        let features = try Flatten()(Rescaling(1 / 255)(input))
        let model = try Model(inputs: input, outputs: Dense(3, activation: .softmax)(features), seed: seed)
        try Classifier(model, classNames: ["ash", "birch", "cedar"]).save("\(folder)/\(name)")
    }

    private struct Server {
        let store: ModelStore
        let gate: Gate

        func ask(
            _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8] = [], _ fields: HTTPFields = [:]
        ) async throws -> (status: Int, fields: HTTPFields, body: [UInt8]) {
            let request = Request(
                head: HTTPRequest(
                    method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields),
                body: RequestBody(buffer: ByteBuffer(bytes: body)))
            let context = ServeContext(
                source: ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: gate.logger))
            let response = try await gate.respond(to: request, context: context)
            let writer = CollectedBody()
            try await response.body.write(writer)
            return (response.status.code, response.headers, await writer.bytes.value)
        }
    }

    private func server(
        _ files: [String] = ["small.keras"], queue: Int = 64, bodyLimit: Int = 1 << 20, interval: Duration = .seconds(1)
    ) async throws -> Server {
        let machinery = Machinery(threads: 1, queue: queue, bodyLimit: bodyLimit, totalBodyLimit: 8 * bodyLimit)
        let store = try ModelStore(files.map { "\(folder)/\($0)" }, machinery, interval: interval, logger: quiet)
        try await store.load()
        let routes =
            ServiceRoutes(models: store).routes + PredictRoutes(models: store).routes
            + ProtocolRoutes(models: store, serverVersion: "0").routes
        return Server(
            store: store,
            gate: Gate(
                routes: RouteTable(routes), access: Access(), metrics: machinery.metrics, logger: quiet,
                timeout: .seconds(10)))
    }

    /// A BMP of one colour, 8 × 8.
    private func image(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> [UInt8] {
        func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let pixels = [UInt8]((0..<64).flatMap { _ in [blue, green, red] })
        return Array("BM".utf8) + number(UInt32(54 + pixels.count)) + number(0) + number(54) + number(40) + number(8)
            + number(8)
            + [1, 0, 24, 0] + number(0) + number(UInt32(pixels.count)) + [UInt8](repeating: 0, count: 16) + pixels
    }

    private func json(_ bytes: [UInt8]) throws -> Configuration { try Configuration(json: bytes) }

    // MARK: predict

    @Test func anAnswerIsThatOfPredict() async throws {
        try write(seed: 1)
        let server = try await server()
        let bytes = image(200, 30, 90)
        let classifier = try Classifier(contentsOf: "\(folder)/small.keras", options: TrainingOptions(threads: 1))
        let answer = try classifier.classify([bytes], names: ["image"])[0].get()
        let expected = PredictionText(answer, of: classifier.outputs, top: 2).object.line
        let raw = try await server.ask(.post, "/predict?top=2", bytes)
        #expect(raw.status == 200)
        #expect(String(decoding: raw.body, as: UTF8.self) == #"{"model":"small","predictions":[\#(expected)]}"# + "\n")
        // The same as JSON and as a form.
        let base64 = Data(bytes).base64EncodedString()
        let text = try await server.ask(.post, "/predict", Array(#"{"image":"\#(base64)","top":2}"#.utf8))
        #expect(text.body == raw.body)
        let form =
            Array("--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"image\"\r\n\r\n".utf8) + bytes
            + Array("\r\n--b\r\nContent-Disposition: form-data; name=\"top\"\r\n\r\n2\r\n--b--\r\n".utf8)
        let multipart = try await server.ask(
            .post, "/models/small/predict", form, [.contentType: "multipart/form-data; boundary=b"])
        #expect(multipart.body == raw.body)
    }

    @Test func oneOfSeveralThatIsNoImageIsAnError() async throws {
        try write(seed: 1)
        let server = try await server()
        let good = Data(image(1, 2, 3)).base64EncodedString()
        let body = #"{"images":["\#(good)",{"name":"b.jpg","data":"AAAA"}]}"#
        let answer = try await server.ask(.post, "/predict", Array(body.utf8))
        let events = try json(answer.body)["predictions"]?.elements?.map { $0["event"]?.text }
        #expect(answer.status == 200 && events == ["prediction", "error"])
        #expect(try json(answer.body)["predictions"]?.elements?[1]["path"] == "b.jpg")
    }

    @Test(arguments: [
        ("/predict", "", 400), ("/predict", "no image", 400), ("/predict?top=0", "x", 400),
        ("/predict?top=x", "x", 400),
        ("/predict?model=other", "x", 404), ("/models/other/predict", "x", 404), ("/predict", "{", 400),
        ("/predict", #"{"image":1}"#, 400), ("/predict", #"{"image":"!"}"#, 400), ("/predict", #"{"images":{}}"#, 400),
        ("/predict", #"{"image":"AAAA","top":-1}"#, 400), ("/predict", #"{"image":"AAAA","model":7}"#, 400),
    ])
    func wrongRequestsAreRefusedInWords(path: String, body: String, status: Int) async throws {
        try write(seed: 1)
        let answer = try await server().ask(.post, path, Array(body.utf8))
        #expect(answer.status == status)
        #expect(try json(answer.body)["error"]?.text?.isEmpty == false)
    }

    @Test func whatIsTooLargeOrTooMuchIsRefused() async throws {
        try write(seed: 1)
        let server = try await server(queue: 2, bodyLimit: 1000)
        #expect(try await server.ask(.post, "/predict", [UInt8](repeating: 1, count: 1001)).status == 413)
        #expect(try await server.ask(.post, "/predict", [], [.contentLength: "1001"]).status == 413)
        #expect(try await server.ask(.post, "/predict", [1], [.contentLength: "-1"]).status == 400)
        #expect(try await server.ask(.post, "/predict", [1], [.contentEncoding: "br"]).status == 415)
        let bomb = try Packing.gzip.pack([UInt8](repeating: 0, count: 100_000))
        #expect(try await server.ask(.post, "/predict", bomb, [.contentEncoding: "gzip"]).status == 413)
        let many = #"{"images":["AAAA","AAAA","AAAA"]}"#
        #expect(try await server.ask(.post, "/predict", Array(many.utf8)).status == 400)
        try await server.store.machinery.admission.admit(2) {
            let full = try await server.ask(.post, "/predict", image(1, 2, 3))
            #expect(full.status == 429 && full.fields[.retryAfter] == "1")
        }
        #expect(try await server.ask(.post, "/predict", image(1, 2, 3)).status == 200)
        #expect(server.store.machinery.bodies.heldBytes == 0 && server.store.machinery.admission.count == 0)
    }

    /// Images that come together are computed together, and each gets its own answer.
    @Test func manyAtOnceGetTheirOwnAnswers() async throws {
        try write(seed: 1)
        let server = try await server()
        let images = (0..<40).map { (number: UInt8) -> [UInt8] in image(number * 6, 255 - number * 6, number) }
        var alone: [[UInt8]] = []
        for image in images { alone.append(try await server.ask(.post, "/predict", image).body) }
        #expect(Set(alone).count == 40)
        let together = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for (number, image) in images.enumerated() {
                group.addTask { (number, try await server.ask(.post, "/predict", image).body) }
            }
            return try await group.reduce(into: [Int: [UInt8]]()) { $0[$1.0] = $1.1 }
        }
        for number in images.indices {
            let (one, other) = (try probabilities(alone[number]), try probabilities(#require(together[number])))
            // A batch may be summed in another order.
            #expect(one.keys.sorted() == other.keys.sorted())
            for (name, value) in one { #expect(abs(value - (other[name] ?? .nan)) < 1e-6) }
        }
    }

    private func probabilities(_ body: [UInt8]) throws -> [String: Double] {
        try json(body)["predictions"]?.elements?[0]["probabilities"]?.members?.compactMapValues(\.number) ?? [:]
    }

    // MARK: The protocol

    @Test func tensorsAndFilesGiveTheSame() async throws {
        try write(seed: 1)
        let server = try await server()
        let metadata = try json(try await server.ask(.get, "/v2/models/small/versions/1").body)
        let input = try #require(metadata["inputs"]?.elements?[0]["name"]?.text)
        let numbers = (0..<64).map { _ in "200,30,90" }.joined(separator: ",")
        let tensor = try await infer(server, input, #""shape":[1,8,8,3],"datatype":"FP32","data":[\#(numbers)]"#)
        let base64 = Data(image(200, 30, 90)).base64EncodedString()
        let file = try await infer(server, input, #""shape":[1],"datatype":"BYTES","data":["\#(base64)"]"#)
        #expect(tensor == file && tensor.count == 3)
        let classes = try json(
            await server.ask(
                .post, "/v2/models/small/infer",
                Array(
                    #"{"inputs":[{"name":"\#(input)","shape":[1,8,8,3],"datatype":"FP32","data":[\#(numbers)]}],"outputs":[{"name":"\#(try output(metadata))","parameters":{"classification":1}}]}"#
                        .utf8)
            ).body)
        let best = tensor.indices.max { tensor[$0] < tensor[$1] } ?? 0
        let text = try #require(classes["outputs"]?.elements?[0]["data"]?.elements?[0].text)
        #expect(text == "\(Float(tensor[best])):\(best):\(["ash", "birch", "cedar"][best])")
    }

    private func output(_ metadata: Configuration) throws -> String {
        try #require(metadata["outputs"]?.elements?[0]["name"]?.text)
    }

    private func infer(_ server: Server, _ input: String, _ tensor: String) async throws -> [Double] {
        let answer = try await server.ask(
            .post, "/v2/models/small/infer", Array(#"{"inputs":[{"name":"\#(input)",\#(tensor)}]}"#.utf8))
        #expect(answer.status == 200)
        return try json(answer.body)["outputs"]?.elements?[0]["data"]?.elements?.compactMap(\.number) ?? []
    }

    @Test func whatTheServerDoesNotDoIsSaid() async throws {
        try write(seed: 1)
        let server = try await server()
        for (method, path, status) in [
            (HTTPRequest.Method.get, "/v2/models/other", 404), (.get, "/v2/models/small/versions/2", 404),
            (.post, "/v2/repository/models/small/load", 400), (.get, "/v2/systemsharedmemory/status", 400),
            (.get, "/v2/nothing", 404), (.put, "/v2", 405),
        ] {
            let answer = try await server.ask(method, path)
            #expect(answer.status == status, "\(path)")
            #expect(try json(answer.body)["error"]?.text?.isEmpty == false)
        }
        let text = String(decoding: try await server.ask(.get, "/metrics").body, as: UTF8.self)
        #expect(text.contains(#"graft_http_requests_total{route="/v2/models/{model}",status="404"} 1"#))
    }

    // MARK: Files that change

    @Test func aChangedFileTakesTheOldOnesPlace() async throws {
        try write(seed: 1)
        let server = try await server(interval: .milliseconds(20))
        let before = try await server.ask(.post, "/predict", image(200, 30, 90)).body
        let watching = Task { try await server.store.run() }
        defer { watching.cancel() }
        // A damaged file changes nothing.
        try Data("no model".utf8).write(to: URL(filePath: "\(folder)/small.keras"))
        try await waitUntil { server.store.machinery.metrics.counts(of: "small").failedReloads == 1 }
        #expect(try await server.ask(.post, "/predict", image(200, 30, 90)).body == before)
        try write(seed: 2)
        try await waitUntil { server.store.machinery.metrics.counts(of: "small").reloads == 1 }
        #expect(try await server.ask(.post, "/predict", image(200, 30, 90)).body != before)
    }

    private func waitUntil(_ condition: () -> Bool) async throws {
        for _ in 0..<500 where !condition() { try await Task.sleep(for: .milliseconds(20)) }
        #expect(condition())
    }

    @Test func namesOfModelsAreTheirs() throws {
        let machinery = Machinery(threads: 1, queue: 1, bodyLimit: 1, totalBodyLimit: 1)
        let store = try ModelStore(["a/best.keras", "b=x/best.keras"], machinery, logger: quiet)
        #expect(
            store.files.map(\.name) == ["best", "b"] && store.files.map(\.path) == ["a/best.keras", "x/best.keras"])
        #expect(throws: GraftError.self) { try ModelStore(["a/best.keras", "b/best.keras"], machinery, logger: quiet) }
    }
}
