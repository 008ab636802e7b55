import Foundation

/// Where published files are kept on this machine.
///
/// Graft looks into its own folder, then into Keras's, and downloads what neither holds into its own. Every file is
/// checked before it is handed out. Several processes may use one cache: a file appears under its name when it is whole.
public struct FileCache: Sendable {
    /// Graft's folder, which holds a folder for each kind of file.
    public let folder: String
    /// Keras's folder with its `models` and `datasets`, looked into and never written to; `nil` for none.
    public let kerasFolder: String?
    /// Whether nothing is downloaded: what is not here is an error that says so.
    public var isOffline = false
    private let downloader: any Downloader
    private let retries: RetryPolicy

    /// A cache in these folders.
    public init(folder: String, kerasFolder: String? = nil) {
        self.init(folder: folder, kerasFolder: kerasFolder, downloader: HTTPDownloader())
    }

    init(
        folder: String, kerasFolder: String? = nil, downloader: any Downloader, retries: RetryPolicy = RetryPolicy()
    ) {
        self.folder = folder
        self.kerasFolder = kerasFolder
        (self.downloader, self.retries) = (downloader, retries)
    }

    /// This user's cache: `~/.cache/graft` (on macOS `~/Library/Caches/graft`) and `~/.keras`.
    ///
    /// `XDG_CACHE_HOME` moves the first, where it is an absolute path, and `KERAS_HOME` the second. With `GRAFT_OFFLINE`, unless it
    /// is empty or 0, nothing is downloaded.
    public static func standard(environment: [String: String] = ProcessInfo.processInfo.environment) -> FileCache {
        let home = environment["HOME"] ?? FileManager.default.homeDirectoryForCurrentUser.path
        #if os(macOS)
            let ordinary = home + "/Library/Caches"
        #else
            let ordinary = home + "/.cache"
        #endif
        let moved = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        var cache = FileCache(
            folder: (moved ?? ordinary) + "/graft",
            kerasFolder: environment["KERAS_HOME"] ?? home + "/.keras")
        cache.isOffline = !["", "0"].contains(environment["GRAFT_OFFLINE"] ?? "")
        return cache
    }

    /// Where Graft keeps a file: HDF5 files in `weights`, archives in `data`.
    public func path(of file: PublishedFile) -> String { "\(folder(of: file.format))/\(file.name)" }

    /// The path of a file of that name on this machine, its contents unchecked: quick, for lists.
    public func candidate(for file: PublishedFile) -> String? {
        candidates(for: file).first { FileManager.default.fileExists(atPath: $0) }
    }

    /// The path of the file on this machine, checked, or `nil` where no good copy is here.
    ///
    /// - Throws: `GraftError` with code `file` where a copy cannot be read.
    public func find(_ file: PublishedFile) throws(GraftError) -> String? { try search(for: file).path }

    /// The path of the file on this machine, downloaded first where no good copy is here.
    ///
    /// A damaged copy in Graft's own folder is replaced; one in another folder is left alone and not used.
    ///
    /// - Throws: `GraftError` saying which file is needed, from where, and where to put it, where it cannot be had.
    public func fetch(
        _ file: PublishedFile, progress: (@Sendable (DownloadProgress) -> Void)? = nil
    ) throws(GraftError) -> String {
        var search = try search(for: file)
        if let path = search.path { return path }
        let destination = path(of: file)
        guard !isOffline else {
            throw needed(
                file, rejected: search.rejected,
                because: GraftError(.state, "nothing is downloaded while --offline or GRAFT_OFFLINE is given"))
        }
        do {
            return try locked(file.format) {
                search = try self.search(for: file)  // another process may have brought it while this one waited
                if let path = search.path { return path }
                try Download(file: file, destination: destination, progress: progress, retries: retries)
                    .run(with: downloader)
                return destination
            }
        } catch {
            throw needed(file, rejected: search.rejected, because: error)
        }
    }

    /// Graft's folder for files of a format.
    func folder(of format: PublishedFile.Format) -> String {
        switch format {
        case .hdf5: folder + "/weights"
        case .zip: folder + "/data"
        }
    }

    /// Does something in the folder for files of a format, which is made where it is missing, while no other process
    /// does.
    private func locked<Result>(_ format: PublishedFile.Format, _ body: () throws -> Result) throws -> Result {
        try FileManager.default.createDirectory(atPath: folder(of: format), withIntermediateDirectories: true)
        let lock = try FileLock(path: folder(of: format) + "/.lock")
        defer { lock.release() }
        return try body()
    }

    /// Where a file may be, Graft's own place first.
    private func candidates(for file: PublishedFile) -> [String] {
        let inner =
            switch file.format {
            case .hdf5: "models"
            case .zip: "datasets"
            }
        return [path(of: file)] + (kerasFolder.map { ["\($0)/\(inner)/\(file.name)"] } ?? [])
    }

    /// The first good copy, and what is wrong with those before it.
    private func search(for file: PublishedFile) throws(GraftError) -> (path: String?, rejected: [String]) {
        var rejected: [String] = []
        for path in candidates(for: file) where FileManager.default.fileExists(atPath: path) {
            guard let defect = try file.defect(ofCopyAt: path) else {
                // A copy that was put there by hand, or by a Graft that noted none; a folder that cannot be written to has none.
                if path == self.path(of: file), PublishedFile.note(besides: path) == nil {
                    try? file.note(checksumOfCopyAt: path)
                }
                return (path, rejected)
            }
            rejected.append("\(path) was not used: \(defect)")
        }
        return (nil, rejected)
    }

    private func needed(_ file: PublishedFile, rejected: [String], because error: any Error) -> GraftError {
        let reason =
            (error as? GraftError)?.description ?? (error as? ServerRefusal)?.description ?? error.localizedDescription
        let places = candidates(for: file).joined(separator: " or ")
        let unused = rejected.map { "; \($0)" }.joined()
        return GraftError(
            .file,
            """
            \(file.name) is needed and could not be downloaded: \(reason)\(unused). \
            Get it from \(file.url) and put it at \(places)
            """)
    }
}

/// A lock that processes share, so that two of them do not write one file.
private final class FileLock {
    private let descriptor: Int32

    /// Waits until no other process holds the lock.
    init(path: String) throws(GraftError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw GraftError(.file, "\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw GraftError(.file, "\(path) cannot be locked: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Lets the next process continue.
    func release() { _ = flock(descriptor, LOCK_UN) }

    deinit { close(descriptor) }
}
