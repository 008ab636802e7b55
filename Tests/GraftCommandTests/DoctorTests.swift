import Foundation
import Graft
import GraftDigest
import GraftSystem
import Testing

@testable import GraftCommand

/// What is judged how, on machines that are made up; and one run on this one.
@Suite struct DoctorTests {
    /// A machine on which nothing is lacking.
    private static func machine() -> DoctorFacts {
        let folder = FolderState(
            path: "/home/me/.cache/graft", exists: true, fileCount: 2, byteCount: 1_250_000_000,
            freeByteCount: 50_000_000_000, isWritable: true)
        return DoctorFacts(
            processor: Processor(name: "A Processor", architecture: "x86-64", units: ["AVX2", "AVX-512", "AMX"]),
            computesInBFloat16: true, cores: 8,
            memory: MachineMemory(installed: 16_000_000_000, meminfo: "MemAvailable: 9765625 kB"),
            group: ControlGroup(membership: "", root: "/"),
            libraries: ["oneDNN", "libzip", "libvips", "libjpeg", "libcrypto"].map {
                .init(name: $0, version: "1.2.3", path: "/usr/lib/\($0).so")
            },
            jpegTurboVersion: "2.1.5", formatsWithoutLoader: .success([]), hasMD5: true,
            swift: .init(path: "/usr/bin/swift", version: "6.3.1"), cache: folder, features: folder,
            weights: [.init(base: "vgg16", path: "/w/vgg16.h5", pathWithTop: nil)], server: "example.org",
            network: .answered(seconds: 0.25), packageManager: .apt)
    }

    private func finding(_ subject: String, change: (inout DoctorFacts) -> Void) throws -> DoctorFinding {
        var facts = Self.machine()
        change(&facts)
        return try #require(facts.findings.first { $0.subject == subject })
    }

    private func limits(_ files: [String: String]) throws -> ControlGroup {
        let folder = try TemporaryFolder()
        for (name, text) in files { try folder.write(Data(text.utf8), to: name) }
        return ControlGroup(membership: "0::/", root: folder.url.path)
    }

    @Test func aGoodMachineLacksNothing() {
        let findings = Self.machine().findings
        #expect(findings.allSatisfy { $0.state == .ok && $0.remedy == nil })
        #expect(
            findings.flatMap(\.lines) == [
                "ok         processor     A Processor, x86-64: AVX2, AVX-512, AMX; computes in bfloat16 too",
                "ok         cores         8",
                "ok         memory        16.0 GB; 10.0 GB free",
                "ok         oneDNN        1.2.3, /usr/lib/oneDNN.so",
                "ok         libzip        1.2.3, /usr/lib/libzip.so",
                "ok         libvips       1.2.3, /usr/lib/libvips.so",
                "ok         libjpeg       1.2.3, /usr/lib/libjpeg.so",
                "ok         libcrypto     1.2.3, /usr/lib/libcrypto.so",
                "ok         Swift         6.3.1, /usr/bin/swift",
                "ok         cache         /home/me/.cache/graft: 1.2 GB in 2 files, 50.0 GB free",
                "ok         vgg16         /w/vgg16.h5",
                "ok         network       example.org answers in 0.25 s",
            ])
        #expect(Doctor.verdict([]) == "Nothing that Graft needs is missing.")
        #expect(
            Doctor.summary(findings).line == #"{"event":"doctor","version":"0.1.0","missing":[],"lacking":[]}"#)
    }

    struct Lack: CustomTestStringConvertible {
        let subject: String
        let state: DoctorFinding.State
        let remedy: String
        let change: @Sendable (inout DoctorFacts) -> Void
        var testDescription: String { "\(subject): \(remedy)" }

        init(
            _ subject: String, _ state: DoctorFinding.State, _ remedy: String,
            _ change: @escaping @Sendable (inout DoctorFacts) -> Void
        ) {
            (self.subject, self.state, self.remedy, self.change) = (subject, state, remedy, change)
        }
    }

    private static func folder(free: Int = 50_000_000_000, exists: Bool = true, isWritable: Bool = true) -> FolderState
    {
        FolderState(
            path: "/home/o'me/graft", exists: exists, fileCount: 0, byteCount: 0, freeByteCount: free,
            isWritable: isWritable)
    }

    static let lacks: [Lack] = [
        Lack("libvips", .lacking, "sudo apt-get install -y libvips-dev") {
            $0.formatsWithoutLoader = .success(["HEIF"])
        },
        Lack("libvips", .lacking, "brew install vips") {
            $0.formatsWithoutLoader = .success(["HEIF", "WebP"])
            $0.packageManager = .brew
        },
        Lack("libvips", .missing, "sudo dnf install -y 'pkgconfig(vips)'") {
            $0.formatsWithoutLoader = .failure(GraftError(.image, "libvips could not be started: no"))
            $0.packageManager = .dnf
        },
        Lack("libjpeg", .lacking, "install jpeg-turbo with your system's package manager") {
            $0.jpegTurboVersion = nil
            $0.packageManager = nil
        },
        Lack(
            "libcrypto", .missing, "load OpenSSL's default provider: openssl list -providers names what is loaded"
        ) { $0.hasMD5 = false },
        Lack("Swift", .lacking, "install Swift as https://www.swift.org/install says") { $0.swift = nil },
        Lack("Swift", .lacking, "install a newer Swift as https://www.swift.org/install says") {
            $0.swift = .init(path: "/usr/bin/swift", version: "6.1-dev")
        },
        Lack("Swift", .lacking, "/usr/bin/swift --version") { $0.swift = .init(path: "/usr/bin/swift", version: nil) },
        Lack("cache", .missing, #"sudo chown -R "$(id -un)" '/home/o'\''me/graft'"#) {
            $0.cache = folder(isWritable: false)
        },
        Lack("cache", .missing, "export XDG_CACHE_HOME=FOLDER, one that you may write to") {
            $0.cache = folder(exists: false, isWritable: false)
        },
        Lack("cache", .missing, "rm -r '/home/me/.cache/graft'") { $0.cache = folder(free: 100_000_000) },
        Lack("cache", .lacking, "export XDG_CACHE_HOME=FOLDER, one on a disk with more space") {
            $0.cache = folder(free: 1_000_000_000)
            $0.features = folder()
        },
        Lack("vgg16", .lacking, "graft fetch vgg16") {
            $0.weights = [.init(base: "vgg16", path: nil, pathWithTop: "/w/top.h5")]
        },
        Lack("memory", .lacking, "use a small base: --base mobilenet-v2, and a smaller --batch-size") {
            $0.memory = MachineMemory(installed: 900_000_000, meminfo: "")
        },
    ]

    @Test(arguments: lacks)
    func aLackComesWithWhatMendsIt(lack: Lack) throws {
        var facts = Self.machine()
        lack.change(&facts)
        let others = facts.findings.filter { $0.subject != lack.subject }
        #expect(others.allSatisfy { $0.state == .ok })
        let found = try #require(facts.findings.first { $0.subject == lack.subject })
        #expect(found.state == lack.state)
        #expect(found.remedy == lack.remedy)
        #expect(found.lines.last == String(repeating: " ", count: 25) + "mend: \(lack.remedy)")
    }

    @Test func aProcessorWithoutAVX2IsSlow() throws {
        let old = try finding("processor") {
            $0.processor = Processor(name: nil, architecture: "x86-64", units: [])
            $0.computesInBFloat16 = false
        }
        #expect(old.state == .lacking)
        #expect(old.text == "unnamed, x86-64: no vector units that Graft uses; computes in float32 only")
        let arm = try finding("processor") {
            $0.processor = Processor(name: "M", architecture: "arm64", units: ["NEON"])
        }
        #expect(arm.state == .ok)
    }

    @Test func aContainersLimitsAreTold() throws {
        let group = try limits(["memory.max": "500000000", "cpu.max": "250000 100000"])
        let memory = try finding("memory") { $0.group = group }
        #expect(memory.state == .lacking)
        #expect(memory.text == "16.0 GB, of which the container's limit lets 500.0 MB be used; 500.0 MB free")
        let cores = try finding("cores") { $0.group = group }
        #expect(cores.state == .lacking)
        #expect(cores.remedy == "give --threads 2")
        #expect(try finding("cores") { ($0.group, $0.cores) = (group, 2) }.state == .ok)
    }

    @Test func theNetworkIsTriedOnlyWhereAsked() throws {
        let notTried = try finding("network") { $0.network = .notTried }
        #expect(notTried.state == .notTried)
        #expect(notTried.text == "graft doctor --online asks example.org")
        let failed = try finding("network") { $0.network = .failed("example.org does not answer") }
        #expect(failed.state == .missing)
        #expect(failed.text == "example.org does not answer; only downloads need it")
    }

    @Test func whatIsMissingIsNamedAtTheEnd() {
        #expect(Doctor.verdict(["cache", "network"]) == "Graft needs attention to: cache, network.")
    }

    @Test(arguments: [
        ("Swift version 6.3.1 (swift-6.3.1-RELEASE)\nTarget: x86_64-unknown-linux-gnu\n", "6.3.1"),
        ("Apple Swift version 6.2 (swiftlang-6.2.0 clang-1700)\n", "6.2"), ("Swift version", nil), ("", nil),
    ])
    func theVersionIsReadFromTheCompilersWords(text: String, version: String?) {
        #expect(DoctorFacts.SwiftCompiler.version(in: text) == version)
    }

    /// The command as a user runs it; its folder has no weights, and the compiler is not in its `PATH`.
    @Test func thisMachineCanRunGraft() throws {
        let folder = try TemporaryFolder()
        let outcome = try GraftTool(folder: folder.url).run(["doctor", "--json"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.hasSuffix("\nNothing that Graft needs is missing.\n"))
        let lines = outcome.lines.compactMap { JSONLine($0) }
        #expect(lines.count == outcome.lines.count)
        #expect(lines.dropLast().allSatisfy { $0.names.starts(with: ["event", "name", "status", "text", "remedy"]) })
        #expect(lines.first { $0.string("name") == "oneDNN" }?.string("version")?.split(separator: ".").count == 3)
        #expect(lines.first { $0.string("name") == "network" }?.string("status") == "not_tried")
        #expect(lines.last?.string("event") == "doctor")
        #expect(lines.last?.strings("lacking")?.contains("inception-v3") == true)
        #expect(!folder.exists("cache"), "it looks and changes nothing")
    }

    @Test func aCacheThatCannotBeWrittenEndsWith1() throws {
        let folder = try TemporaryFolder()
        try folder.write(Data("a file".utf8), to: "cache")
        let outcome = try GraftTool(folder: folder.url).run(["doctor"])
        #expect(outcome.status == 1)
        #expect(outcome.output.hasSuffix("\nGraft needs attention to: cache.\n"))
    }
}
