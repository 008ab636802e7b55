internal import COneDNN

/// oneDNN's handle on the processor. Sendable because oneDNN's engines are safe to share and this one never changes.
final class Engine: @unchecked Sendable {
    let handle: OpaquePointer

    init() throws(GraftError) {
        var handle: OpaquePointer?
        try check(graft_dnn_engine_create(&handle), "an engine for the CPU")
        guard let handle else { throw GraftError(.backend, "oneDNN gave no engine for the CPU") }
        self.handle = handle
    }

    deinit { graft_dnn_engine_destroy(handle) }
}

/// A queue of oneDNN's, used by one run at a time.
final class Stream {
    let handle: OpaquePointer
    private let engine: Engine

    init(_ engine: Engine) throws(GraftError) {
        var handle: OpaquePointer?
        try check(graft_dnn_stream_create(engine.handle, &handle), "a stream")
        guard let handle else { throw GraftError(.backend, "oneDNN gave no stream") }
        (self.handle, self.engine) = (handle, engine)
    }

    deinit { graft_dnn_stream_destroy(handle) }
}

/// Turns what a call of the shim came to into an error that names the function, its status and what was asked for.
func check(_ result: graft_dnn_result, _ request: @autoclosure () -> String) throws(GraftError) {
    guard let function = result.function else { return }
    let status = graft_dnn_status_text(result.status).map { String(cString: $0) } ?? "unknown"
    throw GraftError(
        .backend,
        "\(String(cString: function)) of oneDNN \(oneDNNVersion) answered \(status) for \(request())")
}

/// The version of oneDNN in use.
var oneDNNVersion: String {
    let version = graft_dnn_version()
    return "\(version / 10_000).\(version / 100 % 100).\(version % 100)"
}
