import Foundation
import Testing

/// `Scripts/install-libraries`, which `make` runs before it builds: what it says is missing is missing, and the command it
/// names mends it.
@Suite struct InstallLibrariesTests {
    struct Lack: CustomTestStringConvertible {
        let library: String
        /// Its `.pc` file, where it is found by one.
        let package: String?
        let apt: String
        let brew: String
        let dnf: String
        var testDescription: String { library }
    }

    static let lacks: [Lack] = {
        var lacks = [
            Lack(library: "pkg-config", package: nil, apt: "pkg-config", brew: "pkgconf", dnf: "pkgconf-pkg-config"),
            Lack(library: "oneDNN", package: nil, apt: "libdnnl-dev", brew: "onednn", dnf: "/usr/include/dnnl.h"),
            Lack(
                library: "libzip", package: "libzip", apt: "libzip-dev", brew: "libzip", dnf: "'pkgconfig(libzip)'"),
            Lack(library: "libvips", package: "vips", apt: "libvips-dev", brew: "vips", dnf: "'pkgconfig(vips)'"),
            Lack(
                library: "libjpeg", package: "libjpeg", apt: "libjpeg-dev", brew: "jpeg-turbo",
                dnf: "'pkgconfig(libjpeg)'"),
        ]
        #if !canImport(CryptoKit)
            lacks.append(
                Lack(
                    library: "libcrypto", package: "libcrypto", apt: "libssl-dev", brew: "openssl@3",
                    dnf: "'pkgconfig(libcrypto)'"))
        #endif
        return lacks
    }()

    private let machine: StrippedMachine

    init() throws {
        machine = try StrippedMachine()
        try machine.add(tool: "id", doing: "echo 0")
    }

    private func takeAway(_ lack: Lack) throws {
        switch lack.library {
        case "pkg-config": try machine.remove(tool: "pkg-config")
        case "oneDNN": try machine.hideHeaders()
        default: try machine.remove(package: lack.package ?? "")
        }
    }

    private func sentence(_ outcome: StrippedMachine.Outcome) -> Substring {
        outcome.errors.split(separator: "\n").first ?? ""
    }

    @Test func whereNothingIsMissingNothingIsSaidNorDone() throws {
        try machine.add(tool: "apt-get", doing: "echo \"$@\" >>$packages/log")
        for arguments in [["--check"], []] {
            let outcome = try arguments.isEmpty ? machine.runScript() : machine.runScript(arguments[0])
            #expect(outcome.status == 0 && outcome.output == "" && outcome.errors == "", "\(outcome)")
        }
        #expect(machine.log == "")
    }

    @Test(arguments: lacks)
    func oneMissingLibraryIsNamedWithTheCommandThatInstallsIt(lack: Lack) throws {
        try takeAway(lack)
        let install = "install-libraries: install it with:"
        let commands = [
            (
                "apt-get",
                "apt-get update -q && env DEBIAN_FRONTEND=noninteractive apt-get install -q -y"
                    + " --no-install-recommends \(lack.apt)"
            ),
            ("brew", "brew install \(lack.brew)"), ("dnf", "dnf install -y \(lack.dnf)"),
        ]
        for (manager, command) in commands {
            try machine.add(tool: manager, doing: "exit 1")
            let outcome = try machine.runScript("--check")
            #expect(outcome.status == 1)
            #expect(sentence(outcome).hasPrefix("install-libraries: Graft is built on \(lack.library) ("))
            #expect(sentence(outcome).hasSuffix("), which is missing."))
            #expect(outcome.errors.split(separator: "\n").dropFirst() == ["\(install) \(command)"])
            try machine.remove(tool: manager)
        }
    }

    @Test func severalMissingLibrariesAreNamedTogether() throws {
        try machine.remove(package: "libzip")
        try machine.remove(package: "libjpeg")
        try machine.add(tool: "brew", doing: "exit 1")
        #expect(
            try machine.runScript("--check").errors == """
                install-libraries: Graft is built on libzip (for .keras files), libjpeg (for JPEG), which are missing.
                install-libraries: install them with: brew install libzip jpeg-turbo

                """)
    }

    @Test func withoutAPackageManagerTheLibraryIsNamed() throws {
        try machine.remove(package: "libzip")
        let outcome = try machine.runScript()
        #expect(outcome.status == 1)
        #expect(
            sentence(outcome) == "install-libraries: Graft is built on libzip (for .keras files), which is missing.")
        #expect(outcome.errors.contains("found neither apt-get, brew nor dnf"))
    }

    /// The package manager brings what it was asked for.
    @Test func itInstallsWhatIsMissingAndNothingElse() throws {
        try machine.remove(package: "libzip")
        try machine.add(
            tool: "apt-get",
            doing: """
                echo "$@" >>$packages/log
                case "$*" in *libzip-dev) printf 'Name: libzip\\nDescription: zip\\nVersion: 1.7.3\\n' >$packages/libzip.pc ;; esac
                """)
        #expect(try machine.runScript().status == 0)
        #expect(machine.log == "update -q\ninstall -q -y --no-install-recommends libzip-dev\n")
        #expect(try machine.runScript("--check").status == 0)
    }

    @Test func anInstallationThatFailsLeavesTheCommandAndTheReason() throws {
        try machine.remove(package: "libzip")
        try machine.add(tool: "apt-get", doing: "echo 'could not resolve host' >&2; exit 100")
        let outcome = try machine.runScript()
        #expect(outcome.status == 1)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.contains { $0.hasSuffix("--no-install-recommends libzip-dev") })
        #expect(lines.contains("could not resolve host"))
        #expect(
            lines.last
                == "install-libraries: not installed: the command failed, for the reason above; it needs a network.")
    }

    @Test func anInstallationThatMendsNothingIsSaidSo() throws {
        try machine.remove(package: "libzip")
        try machine.add(tool: "apt-get", doing: "exit 0")
        let outcome = try machine.runScript()
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasSuffix("install-libraries: the command was run and mended nothing.\n"))
    }

    @Test func withoutRootTheCommandHasSudoAndItsLackIsSaid() throws {
        try machine.remove(package: "libzip")
        try machine.add(tool: "id", doing: "echo 1000")
        try machine.add(tool: "apt-get", doing: "echo called >>$packages/log")
        let without = try machine.runScript()
        #expect(without.status == 1)
        #expect(without.errors.contains("install it with: sudo apt-get update -q && sudo env "))
        #expect(without.errors.contains("not installed: this account is not root, and there is no sudo"))

        try machine.add(tool: "sudo", doing: "exit 1")
        let withPassword = try machine.runScript()
        #expect(withPassword.status == 1)
        #expect(withPassword.errors.contains("not installed: sudo asks for a password"))
        #expect(machine.log == "")
    }
}
