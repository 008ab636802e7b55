import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Downloads a URL: a protocol, so that tests need no network.
package protocol Downloader: Sendable {
    /// Hands the bytes from `offset` on to `sink`, in order, and returns when there are no more.
    ///
    /// Calls `sink.begin` first, with the offset that the server granted; a server may grant 0 where more was asked for.
    func download(_ url: String, from offset: Int64, into sink: any DownloadSink) throws
}

/// Takes the bytes of a download.
package protocol DownloadSink: AnyObject, Sendable {
    /// The bytes that follow are at `offset` in a file of `total` bytes, where the server says how many.
    func begin(at offset: Int64, of total: Int64?) throws
    /// The next bytes.
    func receive(_ bytes: Data) throws
}

/// Downloads over HTTP with Foundation's `URLSession`.
struct HTTPDownloader: Downloader {
    /// Seconds without a byte after which a download is given up.
    var patience: TimeInterval = 30

    func download(_ url: String, from offset: Int64, into sink: any DownloadSink) throws {
        guard let address = URL(string: url) else { throw GraftError(.argument, "“\(url)” is not a URL") }
        var request = URLRequest(url: address, cachePolicy: .reloadIgnoringLocalCacheData)
        request.timeoutInterval = patience
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }

        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 1
        let transfer = Transfer(into: sink, from: offset)
        let session = URLSession(configuration: .ephemeral, delegate: transfer, delegateQueue: queue)
        defer { session.invalidateAndCancel() }
        session.dataTask(with: request).resume()
        try transfer.wait()
    }
}

/// One download under way.
///
/// Sendable because `failure` is written on the session's serial queue only, and read after `finished` was signalled.
private final class Transfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    private let sink: any DownloadSink
    private let requestedOffset: Int64
    private let finished = DispatchSemaphore(value: 0)
    private var failure: (any Error)?

    init(into sink: any DownloadSink, from offset: Int64) {
        self.sink = sink
        requestedOffset = offset
    }

    func wait() throws {
        finished.wait()
        if let failure { throw failure }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        do {
            try begin(response)
            completionHandler(.allow)
        } catch {
            failure = error
            completionHandler(.cancel)
        }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        guard failure == nil else { return }
        do {
            try sink.receive(data)
        } catch {
            failure = error
            dataTask.cancel()
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        failure = failure ?? error
        finished.signal()
    }

    /// Status 200 starts from the first byte, 206 where it was asked to; anything else is no file.
    private func begin(_ response: URLResponse) throws {
        guard let answer = response as? HTTPURLResponse else {
            return try sink.begin(at: 0, of: response.expectedContentLength < 0 ? nil : response.expectedContentLength)
        }
        guard answer.statusCode == 200 || answer.statusCode == 206 else {
            throw ServerRefusal(
                status: answer.statusCode, pause: answer.value(forHTTPHeaderField: "Retry-After").flatMap(Double.init))
        }
        let offset = answer.statusCode == 206 ? requestedOffset : 0
        try checkRange(of: answer)
        let length = response.expectedContentLength
        try sink.begin(at: offset, of: length < 0 ? nil : offset + length)
    }

    /// `Content-Range: bytes 100-999/1000` must begin where it was asked to.
    private func checkRange(of answer: HTTPURLResponse) throws(GraftError) {
        guard answer.statusCode == 206 else { return }
        let range = answer.value(forHTTPHeaderField: "Content-Range") ?? "none"
        let start =
            range.hasPrefix("bytes ") ? range.dropFirst(6).split(separator: "-").first.flatMap { Int64($0) } : nil
        guard start == requestedOffset else {
            throw GraftError(
                .file,
                "the server was asked for the bytes from \(requestedOffset) on and sends others (Content-Range: \(String(range.prefix(80)).printable))"
            )
        }
    }
}
