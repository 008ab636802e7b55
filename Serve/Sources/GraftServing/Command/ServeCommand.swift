import ArgumentParser
import Foundation
import Graft
import Logging

/// The program `graft-serve`, which `graft serve` and `graft studio` run.
public struct GraftServe: AsyncParsableCommand {
    /// Its verbs.
    public static let configuration = CommandConfiguration(
        commandName: "graft",
        abstract: "Answers images over HTTP, and opens a page to train in.",
        subcommands: [ServeCommand.self, StudioCommand.self])

    /// As the argument parser makes it.
    public init() {}

    /// Does what the program's arguments say.
    public static func start() async { await main() }
}

/// `graft serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Answer what images show over HTTP.",
        discussion: """
            Each model is called as its file, or NAME in NAME=FILE. A file that changes takes the old one's place; requests that \
            are being answered are answered by the old one.

              graft serve best.keras other.keras --port 8080
              curl -F image=@one.jpg localhost:8080/predict
              curl --data-binary @one.jpg 'localhost:8080/models/other/predict?top=3'

            An answer is what graft predict --json says. Clients of the Open Inference Protocol (KServe, Triton's tritonclient) \
            find it under /v2. http://localhost:8080 is a page to try it, /openapi.json describes all, /metrics is for Prometheus.

            The same by gRPC:
              graft serve best.keras --port 8000 --grpc-port 8001

            Only this machine can reach it unless --host names another address, 0.0.0.0 for all.
            """)

    @Argument(help: "Models in files that graft or Keras wrote.", completion: .file(extensions: ["keras"]))
    var models: [String]

    @OptionGroup(title: "Network") var network: ServerOptions

    @Option(help: ArgumentHelp("The port for gRPC; none if not given.", valueName: "N"))
    var grpcPort: Int?

    @Option(help: ArgumentHelp("Images computed together at most.", valueName: "N"))
    var batchSize = 8

    @Option(help: ArgumentHelp("Milliseconds that an image may wait for others to be computed with.", valueName: "ms"))
    var batchWait = 2.0

    @Option(help: ArgumentHelp("Images that are taken at once; a request beyond that is answered 429.", valueName: "N"))
    var queue = 64

    @Option(help: ArgumentHelp("Megapixels of an image at most.", valueName: "MP"))
    var maxPixels = 50.0

    @Option(help: ArgumentHelp("How many processor cores to use; all if not given.", valueName: "N"))
    var threads: Int?

    func validate() throws {
        guard (1...32).contains(batchSize) else {
            throw ValidationError("--batch-size: got \(batchSize), needs 1 to 32")
        }
        guard (0...1000).contains(batchWait) else {
            throw ValidationError("--batch-wait: got \(batchWait), needs 0 to 1000")
        }
        guard (1...100_000).contains(queue) else { throw ValidationError("--queue: got \(queue), needs 1 to 100000") }
        guard (0.0001...100).contains(maxPixels) else {
            throw ValidationError("--max-pixels: got \(maxPixels), needs 0.0001 to 100 megapixels")
        }
        if let grpcPort, !(0...65535).contains(grpcPort) {
            throw ValidationError("--grpc-port: got \(grpcPort), needs 0 to 65535")
        }
        if let threads, threads < 1 { throw ValidationError("--threads: got \(threads), needs at least 1") }
    }

    func run() async throws {
        let logger = network.logger("graft.serve")
        try await network.explaining {
            var machinery = Machinery(
                threads: threads, queue: queue, bodyLimit: network.bodyLimit, totalBodyLimit: network.totalBodyLimit)
            machinery.batching = Batcher.Settings(batchSize: batchSize, wait: batchWait / 1000)
            machinery.pixelLimit = Int(maxPixels * 1e6)
            let settings = try network.settings()
            let store = try ModelStore(models, machinery, logger: logger)
            try await store.load()
            let routes =
                ServiceRoutes(models: store).routes + PredictRoutes(models: store).routes
                + ProtocolRoutes(models: store, serverVersion: GraftServe.version).routes
            let server = Server(
                settings: settings, routes: RouteTable(routes), metrics: machinery.metrics, services: [store],
                grpc: grpcPort.map { (store, $0) }, logger: logger)
            try await server.run { port in settings.tellRunning(port: port, logger) }
        }
    }
}

extension GraftServe {
    /// That of the command `graft`.
    static let version = "0.1.0"
}
