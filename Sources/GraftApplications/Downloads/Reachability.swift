import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Whether a server answers.
package enum Reachability {
    /// Asks for the head of a file, and for nothing more.
    ///
    /// - Returns: how long the answer took.
    /// - Throws: `GraftError` with code `file` where there is no answer, or another than that the file is there.
    package static func check(_ url: String, patience: TimeInterval = 10) throws(GraftError) -> Duration {
        guard let address = URL(string: url) else { throw GraftError(.argument, "“\(url)” is not a URL") }
        var request = URLRequest(url: address, cachePolicy: .reloadIgnoringLocalCacheData)
        request.httpMethod = "HEAD"
        request.timeoutInterval = patience

        let answer = Mutex<Result<Int, GraftError>?>(nil)
        let finished = DispatchSemaphore(value: 0)
        let session = URLSession(configuration: .ephemeral)
        defer { session.invalidateAndCancel() }
        let start = ContinuousClock.now
        session.dataTask(with: request) { _, response, error in
            let status = (response as? HTTPURLResponse)?.statusCode
            let result = status.map { .success($0) } ?? Result<Int, GraftError>.failure(failure(of: address, error))
            answer.withLock { $0 = result }
            finished.signal()
        }.resume()
        finished.wait()
        let status = try (answer.withLock { $0 } ?? .failure(failure(of: address, nil))).get()
        guard (200..<300).contains(status) else {
            throw GraftError(.file, "\(address.host() ?? url) answered with status \(status)")
        }
        return ContinuousClock.now - start
    }

    private static func failure(of address: URL, _ error: (any Error)?) -> GraftError {
        let reason = error.map { ": \($0.localizedDescription)" } ?? ""
        return GraftError(.file, "\(address.host() ?? address.absoluteString) does not answer\(reason)")
    }
}
