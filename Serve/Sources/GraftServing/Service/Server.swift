import Foundation
import Graft
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle

/// How a server is reached, and by whom.
struct ServerSettings: Sendable {
    var host = "127.0.0.1"
    var port = 8080
    /// A certificate chain and its key, in files of PEM.
    var tls: (certificate: String, key: String)?
    var token: String?
    /// Seconds that an answer may take.
    var timeout = 30
    /// Connections at once.
    var connectionLimit = 1024
    /// Seconds that requests have to be answered once the server is told to stop.
    var stopSeconds = 30

    /// For those that cannot send one, whatever the environment says.
    var withoutToken: ServerSettings {
        var settings = self
        settings.token = nil
        return settings
    }

    /// Whether only this machine can reach it.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}

/// A server with its routes, until somebody stops it.
struct Server {
    let settings: ServerSettings
    let routes: RouteTable
    let metrics: Metrics
    let services: [any Service]
    /// What answers gRPC, and its port; `nil` for no gRPC.
    var grpc: (models: ModelStore, port: Int)?
    let logger: Logger

    /// Serves until the process is told to stop: requests that are answered are answered, new ones find no server.
    ///
    /// - Parameter onRunning: called with the port once clients are answered.
    func run(onRunning: @escaping @Sendable (Int) async -> Void) async throws {
        let gate = Gate(
            routes: routes, access: access, metrics: metrics, logger: logger, timeout: .seconds(settings.timeout))
        let application = Application(
            responder: gate, server: try builder(), configuration: configuration(port: settings.port),
            services: services,
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) }, logger: quiet)
        var configuration = ServiceGroupConfiguration(
            services: [application] + (try grpcApplication().map { [$0] } ?? []),
            gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(settings.stopSeconds)
        try await ServiceGroup(configuration: configuration).run()
    }

    private var access: Access {
        var access = Access(token: settings.token)
        if settings.isLoopback { access.hosts = Access.loopbackHosts.union([settings.host]) }
        return access
    }

    private func configuration(port: Int) -> ApplicationConfiguration {
        ApplicationConfiguration(
            address: .hostname(settings.host, port: port), serverName: "graft",
            availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionLimit, logger: quiet))
    }

    private func grpcApplication() throws -> (any Service)? {
        guard let grpc else { return nil }
        let gate = GRPCGate(
            models: grpc.models, access: access, logger: logger, timeout: .seconds(settings.timeout),
            serverVersion: GraftServe.version)
        let limits = limits
        var server = HTTPServerBuilder { responder in
            GRPCChannel(stream: GRPCChannel.Stream(responder: responder, limits: limits))
        }
        if var tls = try tlsConfiguration() {
            tls.applicationProtocols = ["h2"]
            server = try .tls(server, tlsConfiguration: tls)
        }
        let settings = settings
        return Application(
            responder: gate, server: server, configuration: configuration(port: grpc.port),
            onServerRunning: { channel in settings.tell("grpc", port: channel.localAddress?.port ?? 0) }, logger: quiet)
    }

    /// What Hummingbird has to say of itself is for those who look for a fault.
    private var quiet: Logger {
        var logger = logger
        if logger.logLevel == .info { logger.logLevel = .warning }
        return logger
    }

    private func builder() throws -> HTTPServerBuilder {
        let http = HTTPServerBuilder.http1(configuration: channels())
        guard let tls = try tlsConfiguration() else { return http }
        return try .tls(http, tlsConfiguration: tls)
    }

    private var limits: RequestGuard.Limits {
        RequestGuard.Limits(
            receiving: .seconds(Int64(settings.timeout)), sending: .seconds(Int64(settings.timeout)))
    }

    private func channels() -> HTTP1Channel.Configuration {
        let limits = limits
        var decoder = HTTP1Channel.Configuration.DecoderConfiguration()
        (decoder.maxHeaderListSize, decoder.maxHeaderFieldSize, decoder.maxHeaderFieldCount) = (64 << 10, 16 << 10, 200)
        return HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestGuard(limits)], idleTimeout: .seconds(60),
            httpDecoderConfiguration: decoder)
    }

    private func tlsConfiguration() throws -> TLSConfiguration? {
        guard let tls = settings.tls else { return nil }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(tls.certificate).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = try NIOSSLPrivateKey(file: tls.key, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            return configuration
        } catch {
            throw GraftError(
                .argument,
                "--certificate and --key: \(tls.certificate) and \(tls.key) are no certificate chain and its key in PEM: \(error)"
            )
        }
    }
}
