import Foundation

/// What the processor of a machine is, as far as it matters to fast arithmetic.
package struct Processor: Sendable, Equatable {
    /// As its maker calls it; `nil` where the system does not say.
    package let name: String?
    /// `x86-64` or `arm64`.
    package let architecture: String
    /// Its vector and matrix units in the words of their makers, the oldest first: `AVX2`, `AVX-512`, `AVX512_BF16`,
    /// `AMX`; `NEON`, `SVE`, `BF16`.
    package let units: [String]

    package init(name: String?, architecture: String, units: [String]) {
        (self.name, self.architecture, self.units) = (name, architecture, units)
    }

    /// This machine's.
    package static var current: Processor {
        #if canImport(Darwin)
            Processor(
                name: Self.text(ofSetting: "machdep.cpu.brand_string"), architecture: ownArchitecture,
                units: settings.filter { setting in setting.names.allSatisfy { isOn($0) } }.map(\.unit))
        #else
            let cpuinfo = SystemFile.text(at: "/proc/cpuinfo") ?? ""
            return Processor(cpuinfo: cpuinfo, architecture: ownArchitecture)
        #endif
    }

    private static var ownArchitecture: String {
        #if arch(x86_64)
            "x86-64"
        #elseif arch(arm64)
            "arm64"
        #else
            "another architecture"
        #endif
    }

    /// A unit, and the flags of Linux that it takes: those that Graft's kernels and oneDNN look for.
    private static let flags: [(unit: String, names: [String])] = [
        ("AVX2", ["avx2", "fma"]),
        ("AVX-512", ["avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"]),
        ("AVX512_BF16", ["avx512_bf16"]),
        ("AMX", ["amx_tile", "amx_bf16"]),
        ("NEON", ["asimd"]), ("SVE", ["sve"]), ("BF16", ["bf16"]),
    ]

    /// What Linux's `/proc/cpuinfo` says of its first processor.
    package init(cpuinfo: String, architecture: String) {
        var fields: [Substring: Substring] = [:]
        for line in cpuinfo.split(separator: "\n", omittingEmptySubsequences: false).prefix(while: { !$0.isEmpty }) {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard let key = parts.first else { continue }
            fields[Self.trimmed(key)] = parts.count > 1 ? Self.trimmed(parts[1]) : ""
        }
        let present = Set((fields["flags"] ?? fields["Features"] ?? "").split(separator: " ").map(String.init))
        self.init(
            name: (fields["model name"] ?? fields["Model"]).map(String.init), architecture: architecture,
            units: Self.flags.filter { present.isSuperset(of: $0.names) }.map(\.unit))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        let start = text.drop(while: isBlank)
        return start.prefix(start.count - start.reversed().prefix(while: isBlank).count)
    }

    #if canImport(Darwin)
        /// A unit, and the settings of macOS that are 1 where it is there.
        private static let settings: [(unit: String, names: [String])] = [
            ("AVX2", ["hw.optional.avx2_0", "hw.optional.fma"]),
            (
                "AVX-512",
                [
                    "hw.optional.avx512f", "hw.optional.avx512bw", "hw.optional.avx512dq", "hw.optional.avx512vl",
                    "hw.optional.avx512cd",
                ]
            ),
            ("NEON", ["hw.optional.neon"]), ("BF16", ["hw.optional.arm.FEAT_BF16"]),
        ]

        private static func isOn(_ name: String) -> Bool {
            var (value, size) = (Int32(0), MemoryLayout<Int32>.size)
            return sysctlbyname(name, &value, &size, nil, 0) == 0 && value == 1
        }

        private static func text(ofSetting name: String) -> String? {
            var size = 0
            guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 1 else { return nil }
            var bytes = [UInt8](repeating: 0, count: size)
            guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    #endif
}
