import Foundation
import GraftGraph
import Testing

@testable import GraftApplications

@Suite struct ChecksumTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    /// The examples of RFC 1321, appendix A.5, and of FIPS 180-2, appendix B.
    @Test(arguments: [
        ("", Checksum.md5("d41d8cd98f00b204e9800998ecf8427e")),
        ("abc", Checksum.md5("900150983cd24fb0d6963f7d28e17f72")),
        ("message digest", Checksum.md5("f96b697d7cb7938d525a2f31aaf161d0")),
        ("abc", Checksum.sha256("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")),
    ])
    func equalsThePublishedExamples(text: String, expected: Checksum) throws {
        try folder.write(Data(text.utf8), to: "file")
        #expect(try expected.computed(ofFileAt: folder.path + "/file") == expected)
    }

    /// FIPS 180-2's million letters, and zeros (`head -c 2097153 /dev/zero | md5sum`).
    @Test func readsFilesLongerThanOnePiece() throws {
        try folder.write(Data(repeating: UInt8(ascii: "a"), count: 1_000_000), to: "million")
        #expect(
            try Checksum.sha256(ofFileAt: folder.path + "/million").digits
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        try folder.write(Data(count: (1 << 20) * 2 + 1), to: "zeros")
        #expect(
            try Checksum.md5("").computed(ofFileAt: folder.path + "/zeros").digits
                == "4eda5bcf5ef0cd4066425006dba9ffaa")
    }

    @Test func aFileThatCannotBeReadIsNamed() {
        let error = #expect(throws: GraftError.self) { try Checksum.sha256(ofFileAt: "/no/such/file") }
        #expect(error?.code == .file)
        #expect(
            error?.message
                == "/no/such/file cannot be read to compute its checksum: cannot open /no/such/file: no such file or directory"
        )
    }
}
