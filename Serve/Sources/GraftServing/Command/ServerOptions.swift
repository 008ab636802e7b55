import ArgumentParser
import Foundation
import Graft
import Logging

/// What `serve` and `studio` have in common.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The port.", valueName: "N"))
    var port: Int?

    @Option(help: ArgumentHelp("The address to listen at.", valueName: "address"))
    var host = "127.0.0.1"

    @Option(
        help: ArgumentHelp(
            "A file with a token that clients send (Authorization: Bearer). GRAFT_TOKEN holds one too.",
            valueName: "file"),
        completion: .file())
    var tokenFile: String?

    @Option(help: ArgumentHelp("A certificate chain in PEM, for TLS.", valueName: "file"), completion: .file())
    var certificate: String?

    @Option(help: ArgumentHelp("The certificate's key in PEM.", valueName: "file"), completion: .file())
    var key: String?

    @Option(
        help: ArgumentHelp("Seconds that a request may take to arrive, to be answered, and to leave.", valueName: "s"))
    var timeout = 30

    @Option(help: ArgumentHelp("Megabytes of a request at most.", valueName: "MB"))
    var maxBody = 32.0

    @Option(help: ArgumentHelp("Connections at once; others wait.", valueName: "N"))
    var connections = 1024

    @Option(help: ArgumentHelp("What is logged: debug, info, warning or error.", valueName: "level"))
    var logLevel = "info"

    func validate() throws {
        guard (0...65535).contains(port ?? 0) else {
            throw ValidationError("--port: got \(port ?? 0), needs 0 to 65535")
        }
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout: got \(timeout), needs 1 to 3600") }
        guard (0.001...1024).contains(maxBody) else {
            throw ValidationError("--max-body: got \(maxBody), needs 0.001 to 1024")
        }
        guard (1...100_000).contains(connections) else {
            throw ValidationError("--connections: got \(connections), needs 1 to 100000")
        }
        guard (certificate == nil) == (key == nil) else {
            throw ValidationError("--certificate and --key belong together")
        }
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError("--log-level: got '\(logLevel)', needs debug, info, warning or error")
        }
    }

    var bodyLimit: Int { Int(maxBody * 1e6) }
    /// Of all bodies at once.
    var totalBodyLimit: Int { max(8 * bodyLimit, 256 << 20) }

    func logger(_ label: String) -> Logger {
        var logger = Logger(label: label) { JSONLog(label: $0) }
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        return logger
    }

    func settings(port usual: Int = 8080) throws(GraftError) -> ServerSettings {
        var settings = ServerSettings(
            host: host, port: port ?? Self.portOfEnvironment ?? usual, timeout: timeout, connectionLimit: connections)
        if let certificate, let key { settings.tls = (certificate, key) }
        settings.token = try token()
        return settings
    }

    /// `PORT`, as KServe and others that start containers set it.
    private static var portOfEnvironment: Int? {
        ProcessInfo.processInfo.environment["PORT"].flatMap { Int($0) }.flatMap { (0...65535).contains($0) ? $0 : nil }
    }

    private func token() throws(GraftError) -> String? {
        var text = ProcessInfo.processInfo.environment["GRAFT_TOKEN"]
        if let tokenFile {
            do { text = try String(contentsOfFile: tokenFile, encoding: .utf8) } catch {
                throw GraftError(.file, "--token-file: \(tokenFile) cannot be read: \(error.localizedDescription)")
            }
        }
        guard let token = text?.trimmingCharacters(in: .whitespacesAndNewlines) else { return nil }
        guard token.utf8.count >= 16 else {
            throw GraftError(
                .argument, "the token has \(token.utf8.count) characters, which can be guessed; give at least 16")
        }
        return token
    }

    /// What the library refuses becomes a sentence on standard error and exit code 1.
    func explaining(_ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch {
            let message = (error as? GraftError)?.description ?? "\(error)"
            try? FileHandle.standardError.write(contentsOf: Data("graft: \(message)\n".utf8))
            throw ExitCode(1)
        }
    }
}

extension ServerSettings {
    /// Says on standard output where a server is.
    func tell(_ scheme: String, port: Int) {
        let line = "listening on \(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)\n"
        try? FileHandle.standardOutput.write(contentsOf: Data(line.utf8))
    }

    /// Says where the server is, and who can reach it.
    func tellRunning(port: Int, _ logger: Logger) {
        tell(tls == nil ? "http" : "https", port: port)
        if !isLoopback, token == nil {
            logger.warning("anybody who reaches this address may ask: --token-file asks for a token")
        }
    }
}
