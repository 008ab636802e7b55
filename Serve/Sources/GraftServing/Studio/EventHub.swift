import Foundation
import NIOCore
import ServiceLifecycle
import Synchronization

/// Sends events to all pages that listen (server-sent events: the HTML standard, section 9.2).
final class EventHub: Service {
    private struct State {
        var listeners: [UUID: AsyncStream<String>.Continuation] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())
    static let mostListeners = 32

    /// What is sent from now on; a page that reads slowly misses some.
    ///
    /// - Throws: 429 for more pages than anybody has.
    func listen() throws(Refusal) -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(256))
        let id = UUID()
        let isIn = state.withLock { state in
            guard state.listeners.count < Self.mostListeners, !state.isClosed else { return false }
            state.listeners[id] = continuation
            return true
        }
        guard isIn else { throw .busy("more than \(Self.mostListeners) pages listen") }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }

    /// Sends an event: one line of JSON.
    func send(_ line: String) {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield("data: \(line)\n\n") }
    }

    /// Keeps connections alive until the server stops, and lets go of them then.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(15))
                for listener in self.state.withLock({ Array($0.listeners.values) }) { listener.yield(": \n\n") }
            }
        }
        let listeners = state.withLock { state in
            state.isClosed = true
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }
}
