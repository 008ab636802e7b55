import Foundation
import GraftGraph

/// Where `fit` keeps the features of a trunk, and how much of them.
///
/// Features are kept under the image's bytes, the decode and resize rule, the trunk's operations and weights, so that
/// the next run with the same images and the same base does not compute them again, whatever its head is.
public struct FeatureCache: Sendable, Hashable {
    /// Where features are kept.
    public enum Location: Sendable, Hashable {
        /// In the user's cache: `$XDG_CACHE_HOME/graft/features` or `~/.cache/graft/features`, on macOS
        /// `~/Library/Caches/graft/features`.
        case standard
        /// In this folder.
        case folder(String)
        /// In a temporary folder that goes when training ends.
        case temporary
        /// Nowhere: the whole network runs at every step.
        case none
    }

    /// Where features are kept.
    public var location: Location
    /// How many bytes of packed features the folder may hold; the trunks that were not used for the longest time go first,
    /// never one in use. What one run makes beyond the limit is kept for that run alone.
    public var byteLimit: Int

    /// The user's cache and 10 GB by default.
    public init(location: Location = .standard, byteLimit: Int = 10_000_000_000) {
        (self.location, self.byteLimit) = (location, byteLimit)
    }

    /// The user's cache.
    public static let standard = FeatureCache()
    /// Nothing is kept beyond the run.
    public static let temporary = FeatureCache(location: .temporary)
    /// No features: the whole network runs at every step.
    public static let off = FeatureCache(location: .none)
    /// This folder.
    public static func folder(_ path: String) -> FeatureCache { FeatureCache(location: .folder(path)) }

    /// Whether a later run finds what this one keeps.
    package var outlivesRun: Bool { root != nil }

    /// The folder, or `nil` for a temporary one or none.
    var root: String? {
        switch location {
        case .folder(let path): path
        case .temporary, .none: nil
        case .standard: Self.standardRoot(environment: ProcessInfo.processInfo.environment)
        }
    }

    /// The user's cache folder, or `nil` where the environment names none.
    static func standardRoot(environment: [String: String]) -> String? {
        if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") { return folder + "/graft/features" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        #if os(macOS)
            return home + "/Library/Caches/graft/features"
        #else
            return home + "/.cache/graft/features"
        #endif
    }

    /// Opens the folder of a trunk; a temporary one where the user's cache cannot be written to.
    func folder(trunk: TrunkKey, rowByteCount: Int) throws -> FeatureFolder {
        guard let root else { return try Self.temporaryFolder(rowByteCount: rowByteCount) }
        do {
            return try FeatureFolder(
                path: "\(root)/\(trunk.name)", rowByteCount: rowByteCount, byteLimit: byteLimit)
        } catch {
            guard location == .standard else { throw error }
            return try Self.temporaryFolder(rowByteCount: rowByteCount)
        }
    }

    /// A new folder that goes with the object; in `/var/tmp` where `TMPDIR` names nothing else, since `/tmp` is memory
    /// on many machines.
    static func temporaryFolder(rowByteCount: Int) throws -> FeatureFolder {
        let candidates = [ProcessInfo.processInfo.environment["TMPDIR"], "/var/tmp", "/tmp"].compactMap(\.self)
        let parent = candidates.first { access($0, W_OK | X_OK) == 0 } ?? "/tmp"
        return try FeatureFolder(
            path: "\(parent)/graft-features-\(UUID().uuidString)", rowByteCount: rowByteCount, isTemporary: true)
    }

    /// Makes sure that the disk has room for so many more bytes in some folders of the cache; where it has not, other
    /// trunks go as far as the limit allows for.
    ///
    /// - Throws: `GraftError` with code `file` where the disk has too little space, saying how much may be needed.
    func makeRoom(for byteCount: Int, in folders: [FeatureFolder]) throws {
        guard byteCount > 0, let folder = folders.first else { return }
        if let root, Self.missingSpace(for: byteCount, in: folder) != nil {
            evict(from: root, toHold: byteLimit - byteCount, keeping: Set(folders.map(\.path)))
        }
        try Self.checkSpace(for: byteCount, in: folder)
    }

    /// Removes other trunks where the cache holds more than its limit.
    func trim(keeping folder: FeatureFolder) {
        if let root { evict(from: root, toHold: byteLimit, keeping: [folder.path]) }
    }

    /// - Throws: `GraftError` with code `file` where the disk of a folder has too little space.
    static func checkSpace(for byteCount: Int, in folder: FeatureFolder) throws {
        guard let (needed, free) = missingSpace(for: byteCount, in: folder) else { return }
        throw GraftError(
            .file,
            "the features may need \(Disk.text(byteCount: needed)), but \(folder.path) has "
                + "\(Disk.text(byteCount: free)) left; free some space or keep features in another folder")
    }

    /// What is needed and what is free where that is less, else `nil`.
    private static func missingSpace(for byteCount: Int, in folder: FeatureFolder) -> (needed: Int, free: Int)? {
        // A margin, so that a run does not take the last byte of somebody's disk.
        let needed = byteCount + min(byteCount / 20, 100_000_000)
        guard let free = Disk.freeByteCount(at: folder.path), free < needed else { return nil }
        return (needed, free)
    }

    /// Removes the least recently used trunks until the rest fits, except `folders` and any that is in use.
    func evict(from root: String, toHold byteCount: Int, keeping folders: Set<String>) {
        var trunks = FeatureFolder.names(in: root).map { StoredTrunk(path: "\(root)/\($0)") }
        var total = trunks.reduce(0) { $0 + $1.byteCount }
        trunks.sort { ($0.lastUse, $0.path) < ($1.lastUse, $1.path) }
        for trunk in trunks where total > byteCount && !folders.contains(trunk.path) {
            guard trunk.remove() else { continue }
            total -= trunk.byteCount
        }
    }
}

/// A trunk's folder as the cleaner sees it.
private struct StoredTrunk {
    let path: String
    let byteCount: Int
    let lastUse: Double

    init(path: String) {
        self.path = path
        byteCount = FeatureFolder.names(in: path).reduce(0) { $0 + Disk.byteCount(ofFileAt: "\(path)/\($1)") }
        let attributes = try? FileManager.default.attributesOfItem(atPath: FeatureFolder.lockPath(path))
        lastUse = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    }

    /// Removes the folder unless somebody uses it or it is none of ours.
    func remove() -> Bool {
        guard access(FeatureFolder.lockPath(path), F_OK) == 0,
            let lock = try? File(ensuring: FeatureFolder.lockPath(path)),
            (try? lock.lock(exclusively: true, waiting: false)) == true
        else { return false }
        return (try? FileManager.default.removeItem(atPath: path)) != nil
    }
}
