import Foundation
import Graft
import GraftCPU
import GraftDigest
import GraftSystem

/// What `graft doctor` found on a machine, before it is judged.
struct DoctorFacts {
    /// A shared library in use.
    struct Library {
        let name: String
        let version: String
        /// Its file; `nil` where it is part of the program or of the system.
        let path: String?
    }

    struct SwiftCompiler {
        let path: String
        /// Such as `6.3.1`; `nil` where it does not say.
        let version: String?
    }

    /// A base's published weights on this machine.
    struct Weights {
        let base: String
        let path: String?
        let pathWithTop: String?
    }

    /// What came of asking the server of the published weights.
    enum Network {
        case notTried
        case answered(seconds: Double)
        case failed(String)
    }

    var processor: Processor
    var computesInBFloat16: Bool
    /// The cores that this process may use.
    var cores: Int
    var memory: MachineMemory
    var group: ControlGroup
    var libraries: [Library]
    /// libjpeg-turbo's, or `nil` for another libjpeg.
    var jpegTurboVersion: String?
    /// The image formats that libvips has no loader for; or why libvips cannot be started.
    var formatsWithoutLoader: Result<[String], GraftError>
    var hasMD5: Bool
    var swift: SwiftCompiler?
    var cache: FolderState
    /// The folder in the cache that features are kept in, and how much there is.
    var features: FolderState
    var weights: [Weights]
    /// Where weights are published.
    var server: String
    var network: Network
    var packageManager: PackageManager?
}

extension DoctorFacts {
    /// This machine's. Connects to nothing unless `online` says so.
    static func gathered(online: Bool) -> DoctorFacts {
        let files = FileCache.standard()
        let url = Base.inceptionV3.weights?.url ?? ""
        return DoctorFacts(
            processor: .current, computesInBFloat16: CPUOptions.supportsBFloat16, cores: CPUOptions().threads,
            memory: .current, group: .current, libraries: loadedLibraries,
            jpegTurboVersion: ImageLibraries.jpegTurboVersion,
            formatsWithoutLoader: Result { () throws(GraftError) in try ImageLibraries.formatsWithoutLoader() },
            hasMD5: MD5() != nil, swift: .here, cache: FolderState(at: files.folder),
            features: FolderState(at: files.folder + "/features"),
            weights: Base.all.map { base in
                Weights(
                    base: base.id, path: base.weights.flatMap { files.candidate(for: $0) },
                    pathWithTop: base.weightsWithTop.flatMap { files.candidate(for: $0) })
            }.filter { $0.path != nil || $0.pathWithTop != nil || $0.base == Base.inceptionV3.id },
            server: URL(string: url)?.host() ?? url, network: online ? ask(url) : .notTried, packageManager: .here)
    }

    private static var loadedLibraries: [Library] {
        let jpeg = ImageLibraries.jpegTurboVersion.map { "libjpeg-turbo \($0)" } ?? "no libjpeg-turbo"
        return [
            Library(name: "oneDNN", version: OneDNNLibrary.version, path: LoadedLibrary.path(of: "libdnnl")),
            Library(name: "libzip", version: ZipLibrary.version, path: LoadedLibrary.path(of: "libzip")),
            Library(name: "libvips", version: ImageLibraries.vipsVersion, path: LoadedLibrary.path(of: "libvips")),
            Library(name: "libjpeg", version: jpeg, path: LoadedLibrary.path(of: "libjpeg")),
            Library(
                name: HashLibrary.fileName ?? "hashes", version: HashLibrary.version,
                path: HashLibrary.fileName.flatMap { LoadedLibrary.path(of: $0) }),
        ]
    }

    private static func ask(_ url: String) -> Network {
        do throws(GraftError) {
            return .answered(seconds: try Reachability.check(url).seconds)
        } catch {
            return .failed(error.message)
        }
    }
}

extension DoctorFacts.SwiftCompiler {
    /// The one that a shell would start.
    static var here: Self? {
        guard let program = Executable(named: "swift") else { return nil }
        return Self(path: program.path, version: program.output(of: ["--version"]).flatMap(version(in:)))
    }

    /// The word after `Swift version` in what a compiler says of itself.
    static func version(in text: String) -> String? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let index = words.indices.first(where: { words[$0...].starts(with: ["Swift", "version"]) }),
            words.indices.contains(index + 2)
        else { return nil }
        return String(words[index + 2])
    }
}
