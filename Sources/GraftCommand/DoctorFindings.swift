import Graft
import GraftDigest
import GraftSystem

extension DoctorFacts {
    /// The least that a run of a network needs, in bytes: InceptionV3's weights, their packed copy and a batch.
    static let leastMemory: UInt64 = 1_000_000_000
    /// The least that the disk of the cache must have left for the weights of a base.
    static let leastDisk = 200_000_000
    /// What it should have left, for weights and features.
    static let enoughDisk = 2_000_000_000
    /// The first Swift that builds Graft, as `Package.swift` says.
    static let leastSwift = [6, 2]

    /// Everything, judged.
    var findings: [DoctorFinding] {
        [processorFinding, coresFinding, memoryFinding] + libraryFindings + [swiftFinding, cacheFinding]
            + weights.map(finding(of:)) + [networkFinding]
    }

    // MARK: The machine

    private var processorFinding: DoctorFinding {
        let name = "\(processor.name ?? "unnamed"), \(processor.architecture)"
        let units =
            processor.units.isEmpty ? "no vector units that Graft uses" : processor.units.joined(separator: ", ")
        let isSlow = processor.architecture == "x86-64" && !processor.units.contains("AVX2")
        let bfloat16 = computesInBFloat16 ? "computes in bfloat16 too" : "computes in float32 only"
        return DoctorFinding(
            "processor", isSlow ? .lacking : .ok, "\(name): \(units); \(bfloat16)",
            remedy: isSlow
                ? "nothing on this machine, where Graft is several times slower; in a virtual machine, hand the processor's"
                    + " features through (QEMU: -cpu host)"
                : nil,
            details: [
                ("processor", processor.name.map { .string($0) } ?? .null),
                ("architecture", .string(processor.architecture)), ("units", .strings(processor.units)),
                ("bfloat16", .bool(computesInBFloat16)),
            ])
    }

    private var coresFinding: DoctorFinding {
        let details: [(name: String, value: JSONObject.Value)] = [
            ("cores", .int(cores)), ("limit", group.processorLimit.map { .number($0) } ?? .null),
        ]
        guard let limit = group.processorLimit, limit < Double(cores) else {
            return DoctorFinding("cores", .ok, "\(cores)", details: details)
        }
        return DoctorFinding(
            "cores", .lacking,
            "\(cores), of which the container's limit lets \(limit.fixed(1)) work at a time: as many threads would wait for"
                + " one another",
            remedy: "give --threads \(max(1, Int(limit)))", details: details)
    }

    private var memoryFinding: DoctorFinding {
        let limit = group.memoryLimit.map { min($0, memory.installed) } ?? memory.installed
        var text = memory.installed.bytesText
        if limit < memory.installed { text += ", of which the container's limit lets \(limit.bytesText) be used" }
        if let available = memory.available { text += "; \(min(available, limit).bytesText) free" }
        let isLittle = limit < Self.leastMemory
        return DoctorFinding(
            "memory", isLittle ? .lacking : .ok, text,
            remedy: isLittle ? "use a small base: --base mobilenet-v2, and a smaller --batch-size" : nil,
            details: [
                ("bytes", .int(Int(clamping: memory.installed))),
                ("limit", group.memoryLimit.map { .int(Int(clamping: $0)) } ?? .null),
                ("available", memory.available.map { .int(Int(clamping: $0)) } ?? .null),
            ])
    }

    // MARK: Software

    private var libraryFindings: [DoctorFinding] {
        libraries.map { library in
            let text = [library.version, library.path].compactMap(\.self).joined(separator: ", ")
            let (state, remark, remedy) = judgement(on: library)
            return DoctorFinding(
                library.name, state, remark.map { "\(text): \($0)" } ?? text, remedy: remedy,
                details: [
                    ("version", .string(library.version)), ("path", library.path.map { .string($0) } ?? .null),
                ])
        }
    }

    private func judgement(on library: Library) -> (DoctorFinding.State, remark: String?, remedy: String?) {
        switch library.name {
        case "libvips":
            switch formatsWithoutLoader {
            case .success([]): (.ok, nil, nil)
            case .success(let formats):
                (
                    .lacking, "has no loader for \(formats.joined(separator: ", "))",
                    installed(apt: "libvips-dev", brew: "vips", dnf: "pkgconfig(vips)")
                )
            case .failure(let error):
                (.missing, error.message, installed(apt: "libvips-dev", brew: "vips", dnf: "pkgconfig(vips)"))
            }
        case "libjpeg" where jpegTurboVersion == nil:
            (
                .lacking, "pixels differ from TensorFlow's by rounding",
                installed(apt: "libjpeg-dev", brew: "jpeg-turbo", dnf: "libjpeg-turbo-devel")
            )
        case "libcrypto" where !hasMD5:
            (
                .missing, "has no MD5, which the published weights are checked with",
                "load OpenSSL's default provider: openssl list -providers names what is loaded"
            )
        default: (.ok, nil, nil)
        }
    }

    private func installed(apt: String, brew: String, dnf: String) -> String {
        packageManager?.install(apt: apt, brew: brew, dnf: dnf) ?? "install \(brew) with your system's package manager"
    }

    private var swiftFinding: DoctorFinding {
        let details: [(name: String, value: JSONObject.Value)] = [
            ("version", (swift?.version).map { .string($0) } ?? .null),
            ("path", (swift?.path).map { .string($0) } ?? .null),
        ]
        guard let swift else {
            return DoctorFinding(
                "Swift", .lacking, "no compiler in PATH; only building needs one",
                remedy: "install Swift as https://www.swift.org/install says", details: details)
        }
        guard let version = swift.version else {
            return DoctorFinding(
                "Swift", .lacking, "\(swift.path) does not tell its version", remedy: "\(swift.path) --version",
                details: details)
        }
        let numbers = version.split(separator: ".").compactMap { Int($0.prefix(while: \.isNumber)) }
        let isOld = numbers.lexicographicallyPrecedes(Self.leastSwift)
        return DoctorFinding(
            "Swift", isOld ? .lacking : .ok, "\(version), \(swift.path)" + (isOld ? ": building Graft takes 6.2" : ""),
            remedy: isOld ? "install a newer Swift as https://www.swift.org/install says" : nil, details: details)
    }

    // MARK: Files

    private var cacheFinding: DoctorFinding {
        let held =
            cache.exists
            ? "\(UInt64(clamping: cache.byteCount).bytesText) in \(cache.fileCount.of("file"))" : "not there yet"
        let free = cache.freeByteCount.map { ", \(UInt64(clamping: $0).bytesText) free" } ?? ""
        let (state, remark, remedy) = cacheJudgement
        return DoctorFinding(
            "cache", state, "\(cache.path): \(held)\(free)" + (remark.map { "; \($0)" } ?? ""), remedy: remedy,
            details: [
                ("path", .string(cache.path)), ("exists", .bool(cache.exists)), ("files", .int(cache.fileCount)),
                ("bytes", .int(cache.byteCount)), ("free", cache.freeByteCount.map { .int($0) } ?? .null),
                ("writable", .bool(cache.isWritable)),
            ])
    }

    private var cacheJudgement: (DoctorFinding.State, remark: String?, remedy: String?) {
        guard cache.isWritable else {
            let mend =
                cache.exists
                ? "sudo chown -R \"$(id -un)\" \(cache.path.quotedForShell)"
                : "export XDG_CACHE_HOME=FOLDER, one that you may write to"
            return (.missing, "this user may not write there", mend)
        }
        guard let free = cache.freeByteCount, free < Self.enoughDisk else { return (.ok, nil, nil) }
        let mend =
            features.byteCount > 0
            ? "rm -r \(features.path.quotedForShell)"
            : "export XDG_CACHE_HOME=FOLDER, one on a disk with more space"
        return free < Self.leastDisk
            ? (.missing, "too little for a base's weights", mend)
            : (.lacking, "little for weights and features", mend)
    }

    private func finding(of weights: Weights) -> DoctorFinding {
        let isHere = weights.path != nil
        let top = weights.pathWithTop.map { ", with top \($0)" } ?? ""
        return DoctorFinding(
            weights.base, isHere ? .ok : .lacking,
            isHere ? "\(weights.path ?? "")\(top)" : "weights without top are not on this machine\(top)",
            remedy: isHere ? nil : "graft fetch \(weights.base)",
            details: [
                ("weights", weights.path.map { .string($0) } ?? .null),
                ("weights_with_top", weights.pathWithTop.map { .string($0) } ?? .null),
            ])
    }

    private var networkFinding: DoctorFinding {
        switch network {
        case .notTried: DoctorFinding("network", .notTried, "graft doctor --online asks \(server)")
        case .answered(let seconds):
            DoctorFinding(
                "network", .ok, "\(server) answers in \(seconds.asDuration)", details: [("seconds", .number(seconds))])
        case .failed(let reason):
            DoctorFinding(
                "network", .missing, "\(reason); only downloads need it",
                remedy:
                    "export https_proxy=http://HOST:PORT where there is a proxy; or put weight files into the cache, as"
                    + " graft fetch says")
        }
    }
}

extension UInt64 {
    /// A number of bytes for people: `1.2 GB`.
    fileprivate var bytesText: String {
        let units = ["kB", "MB", "GB", "TB"]
        var (value, unit) = (Double(self) / 1000, 0)
        while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
        return self < 1000 ? "\(self) B" : "\(value.fixed(1)) \(units[unit])"
    }
}

extension String {
    /// As one word of a shell's command.
    fileprivate var quotedForShell: String { "'" + replacing("'", with: "'\\''") + "'" }
}
