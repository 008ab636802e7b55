import ArgumentParser
import Foundation
import Graft
import Logging

/// `graft studio`
struct StudioCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "studio",
        abstract: "Open a page to collect images, train and try, in the browser.",
        discussion: """
            FOLDER holds a folder a class, as graft train takes it; it is made where it is not there. Page and command can take \
            turns: the model is written where graft train FOLDER writes it.

              graft studio
              graft studio photos --port 8888

            Images never leave this machine, nothing is loaded from others, and only this machine can reach the page.
            """)

    @Argument(help: "The folder of the project.", completion: .directory)
    var folder = "studio"

    @OptionGroup(title: "Network") var network: ServerOptions

    @Flag(help: "Do not open the page in a browser.")
    var noOpen = false

    @Option(help: ArgumentHelp("How many processor cores to use; all if not given.", valueName: "N"))
    var threads: Int?

    func validate() throws {
        guard ServerSettings(host: network.host).isLoopback else {
            throw ValidationError(
                "--host: got \(network.host); the studio changes files and is for this machine alone; from another one: ssh -L 8090:localhost:8090 MACHINE"
            )
        }
        guard network.tokenFile == nil else {
            throw ValidationError("--token-file: the page has no token to send; it is for graft serve")
        }
        if let threads, threads < 1 { throw ValidationError("--threads: got \(threads), needs at least 1") }
    }

    func run() async throws {
        var network = network
        // A page asks often; what it asks is of no interest to its user.
        if network.logLevel == "info" { network.logLevel = "warning" }
        let logger = network.logger("graft.studio")
        try await network.explaining {
            let machinery = Machinery(
                threads: threads, queue: 16, bodyLimit: network.bodyLimit, totalBodyLimit: network.totalBodyLimit)
            let settings = try network.settings(port: 8090).withoutToken
            let project = try Project(folder: folder)
            let hub = EventHub()
            let training = StudioTraining(
                project, hub, StudioModel(path: project.modelPath, threads: threads), threads: threads)
            let routes = StudioRoutes(project: project, training: training, hub: hub, machinery: machinery).routes
            let server = Server(
                settings: settings, routes: RouteTable(routes), metrics: machinery.metrics, services: [hub],
                logger: logger)
            let opens = !noOpen
            try await server.run { port in
                settings.tellRunning(port: port, logger)
                if opens { Self.open("\(settings.tls == nil ? "http" : "https")://localhost:\(port)/") }
            }
            training.stop()
        }
    }

    /// Where there is a browser and somebody to look at it.
    private static func open(_ address: String) {
        #if os(macOS)
            let program = "/usr/bin/open"
        #else
            let program = "/usr/bin/xdg-open"
            let environment = ProcessInfo.processInfo.environment
            guard environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil else { return }
        #endif
        guard FileManager.default.isExecutableFile(atPath: program) else { return }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [address]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try? process.run()
    }
}
