import Foundation
import Graft
import Logging
import ServiceLifecycle
import Synchronization

/// The models by name, each exchanged for a new one when its file changes; requests that are answered keep theirs.
final class ModelStore: Service {
    /// Names and files, in the order of the command.
    let files: [(name: String, path: String)]
    let machinery: Machinery
    private let logger: Logger
    /// How often files are looked at.
    private let interval: Duration
    private let models = Mutex<[String: ServedModel]>([:])
    private let isStopping = Atomic(false)

    /// - Parameter arguments: paths, or `NAME=PATH`.
    init(_ arguments: [String], _ machinery: Machinery, interval: Duration = .seconds(1), logger: Logger)
        throws(GraftError)
    {
        files = try Self.files(arguments)
        (self.machinery, self.interval, self.logger) = (machinery, interval, logger)
    }

    private static func files(_ arguments: [String]) throws(GraftError) -> [(name: String, path: String)] {
        var files: [(name: String, path: String)] = []
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            let isNamed = parts.count == 2 && !FileManager.default.fileExists(atPath: argument)
            let path = isNamed ? parts[1] : argument
            let stem = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
            let name = isNamed ? parts[0] : stem
            guard !name.isEmpty, !name.contains("/"), name.utf8.count <= 200 else {
                throw GraftError(.argument, "\(argument): '\(name)' is no name for a model; give NAME=\(path)")
            }
            if let other = files.first(where: { $0.name == name }) {
                throw GraftError(
                    .argument, "\(other.path) and \(path) would both be called \(name); give one a name: NAME=\(path)")
            }
            files.append((name, path))
        }
        return files
    }

    /// Reads and warms all models.
    func load() async throws {
        for (name, path) in files {
            let start = ContinuousClock.now
            let model = try ServedModel(name: name, path: path, machinery)
            try await model.warm()
            models.withLock { $0[name] = model }
            logger.info(
                "model ready",
                metadata: [
                    "model": .string(name), "file": .string(path),
                    "seconds": .stringConvertible((ContinuousClock.now - start).inSeconds),
                ])
        }
    }

    /// Whether all models are there and warm, and the server is not stopping.
    var isReady: Bool { !isStopping.load(ordering: .relaxed) && models.withLock { $0.count == files.count } }

    /// The models in the order of the command.
    var all: [ServedModel] { models.withLock { models in files.compactMap { models[$0.name] } } }

    /// A model by its name; the first one where there is no name.
    ///
    /// - Throws: 404 for a name that is none.
    func model(_ name: String?) throws(Refusal) -> ServedModel {
        let found = models.withLock { models in (name ?? files.first?.name).flatMap { models[$0] } }
        guard let found else {
            let names = files.map(\.name).joined(separator: ", ")
            throw .notFound("there is no model '\(name ?? "")'; there is \(names)")
        }
        return found
    }

    /// Looks after the files until the server stops.
    func run() async throws {
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown { [self] in
                var seen: [String: FileState] = [:]
                while !Task.isCancelled {
                    try? await Task.sleep(for: interval)
                    for (name, path) in files { await look(at: path, name, &seen) }
                }
            }
        } onGracefulShutdown: { [self] in
            isStopping.store(true, ordering: .relaxed)
        }
    }

    /// Exchanges a model whose file is another one than before, and has not changed since the last look: it may be being written.
    private func look(at path: String, _ name: String, _ seen: inout [String: FileState]) async {
        guard let state = try? FileState(of: path), let old = models.withLock({ $0[name] }), state != old.state else {
            return
        }
        guard seen[name] == state else {
            seen[name] = state
            return
        }
        // Once for each state of a file, whatever comes of it.
        guard failed.withLock({ $0[name] }) != state else { return }
        do {
            let new = try ServedModel(name: name, path: path, machinery)
            try await new.warm()
            models.withLock { $0[name] = new }
            machinery.metrics.count(reloadOf: name, succeeded: true)
            logger.info("model reloaded", metadata: ["model": .string(name)])
        } catch {
            failed.withLock { $0[name] = state }
            machinery.metrics.count(reloadOf: name, succeeded: false)
            logger.error(
                "model not reloaded, the one before goes on",
                metadata: ["model": .string(name), "error": .string("\(error)")])
        }
    }

    /// What could not be read.
    private let failed = Mutex<[String: FileState]>([:])
}
