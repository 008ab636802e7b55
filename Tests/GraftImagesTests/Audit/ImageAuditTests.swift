import Foundation
import GraftGraph
import Testing

@testable import GraftImages

@Suite struct ImageAuditTests {
    /// What an audit says of single files, by name; what it says of several together is left out.
    private func kinds(_ audit: ImageAudit) -> [String: Set<ImageFinding.Kind>] {
        var kinds: [String: Set<ImageFinding.Kind>] = [:]
        for finding in audit.findings where finding.paths.count == 1 {
            kinds[FolderListing.name(of: finding.paths[0]), default: []].insert(finding.kind)
        }
        return kinds
    }

    @Test func everyOddFileIsReportedForWhatItIs() throws {
        #expect(OddFile.all.count >= 60)
        let folder = try TemporaryFolder()
        for (number, file) in OddFile.all.enumerated() {
            try folder.write(file.bytes, to: "\(number % 2 == 0 ? "a" : "b")/\(file.name)")
        }
        let audit = try ImageAudit(of: folder.path)
        let kinds = kinds(audit)
        for file in OddFile.all {
            let found = kinds[file.name] ?? []
            let reasons = audit.findings.filter { $0.paths.first?.hasSuffix("/" + file.name) == true }.map(\.detail)
            #expect(found == file.kinds, "\(file.name): \(reasons)")
        }
        #expect(audit.imageCount == OddFile.all.count)
        let unusable = OddFile.all.filter { $0.kinds.contains { $0.severity == .unusable } }
        #expect(audit.usableCount == OddFile.all.count - unusable.count)
        for file in OddFile.all {
            let decodes = (try? ImageDecoder().decode(file.bytes)) != nil
            #expect(decodes == !file.kinds.contains { $0.severity == .unusable }, "\(file.name)")
        }
    }

    @Test func whatLiesAroundTheImagesIsReported() throws {
        let folder = try TemporaryFolder()
        for (number, name) in ["cats/1.png", "cats/2.png", "dogs/1.png"].enumerated() {
            try folder.write(DrawnFile.png(40 + number), to: name)
        }
        for name in ["LICENSE", "cats/notes.txt", "cats/README", "dogs/film.mp4", "texts/a.txt"] {
            try folder.write(Array("words".utf8), to: name)
        }
        for name in [".hidden.jpg", "cats/.DS_Store", "cats/Thumbs.db", "__MACOSX/1.png"] {
            try folder.write(DrawnFile.png(50), to: name)
        }
        try folder.write(DrawnFile.png(51), to: "loose.png")
        try folder.makeFolder("birds")
        try folder.makeLink("cats/nowhere.png", to: "/no/such/file")
        try folder.makeLink("around", to: ".")
        let kinds = kinds(try ImageAudit(of: folder.path))
        let expected: [String: Set<ImageFinding.Kind>] = [
            "LICENSE": [.stray], "notes.txt": [.stray], "README": [.stray], "film.mp4": [.stray], "a.txt": [.stray],
            "texts": [.emptyClass], "birds": [.emptyClass], ".hidden.jpg": [.hidden], ".DS_Store": [.hidden],
            "Thumbs.db": [.hidden], "__MACOSX": [.hidden], "loose.png": [.unlabelled], "nowhere.png": [.special],
            "around": [.special],
        ]
        #expect(kinds == expected)
    }

    @Test(.timeLimit(.minutes(1)))
    func pipesAndDevicesAreNeverOpened() throws {
        let folder = try TemporaryFolder()
        try folder.write(DrawnFile.png(60), to: "a/1.png")
        try folder.write(DrawnFile.png(61), to: "b/1.png")
        #expect(mkfifo("\(folder.path)/a/pipe.jpg", 0o600) == 0)
        try folder.makeLink("a/endless.jpg", to: "/dev/zero")
        try folder.makeLink("b/terminal.png", to: "/dev/null")
        let audit = try ImageAudit(of: folder.path)
        let special = audit.findings.filter { $0.kind == .special }
        #expect(special.map { FolderListing.name(of: $0.paths[0]) } == ["endless.jpg", "pipe.jpg", "terminal.png"])
        #expect(special.map(\.detail).allSatisfy { $0.contains("device") || $0.contains("pipe") })
        // Named in a table, or given by name, they are refused as well.
        try folder.write(Array("path,label\na/pipe.jpg,a\na/1.png,a\nb/1.png,b\n".utf8), to: "all.csv")
        #expect(try ImageAudit(of: folder.path + "/all.csv").findings.map(\.kind) == [.special])
        #expect(ImageExamination(folder.path + "/a/pipe.jpg").remarks.map(\.kind) == [.unreadable])
        #expect(throws: GraftError.self) { try ImageAudit(of: folder.path + "/a/pipe.jpg") }
        #expect(throws: GraftError.self) { _ = try File(reading: folder.path + "/a/pipe.jpg") }
    }

    @Test func aFileOfMoreBytesThanAreReadIsTooLarge() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(DrawnFile.png(62), to: "sparse.png")
        #expect(truncate(path, off_t(ImageDecoder.maximumByteCount) + 1) == 0)
        #expect(ImageExamination(path).remarks.map(\.kind) == [.tooLarge])
    }

    @Test func hugeImagesAreNoted() {
        let facts = ImageFacts(format: .png, width: 10_000, height: 5_000)
        #expect(ImageExamination.remarks(on: facts, named: "a.png").map(\.kind) == [.huge])
        #expect(
            ImageExamination.remarks(on: ImageFacts(format: .png, width: 9_999, height: 5_000), named: "a.png").isEmpty)
    }

    #if os(Linux)
        @Test func namesThatSteerATerminalAreImagesLikeOthers() throws {
            let folder = try TemporaryFolder()
            for (number, name) in ["\u{1B}[2J.png", "two\nlines.png", "exe\u{202E}gpj.png", "=1+1.png"].enumerated() {
                try folder.write(DrawnFile.png(70 + number), to: "a/\(name)")
                try folder.write(DrawnFile.png(80 + number), to: "b/\(name)")
            }
            #expect(try ImageAudit(of: folder.path).findings.isEmpty)
        }
    #endif

    // MARK: The same image

    @Test func copiesAreLeaksConflictsOrDuplicates() throws {
        let folder = try TemporaryFolder()
        let (one, two, three, four) = (DrawnFile.png(90), DrawnFile.png(91), DrawnFile.png(92), DrawnFile.png(93))
        for name in ["train/a/1.png", "train/a/1 again.png"] { try folder.write(one, to: name) }
        for name in ["train/a/2.png", "validation/a/2.png"] { try folder.write(two, to: name) }
        for name in ["train/a/3.png", "train/b/3.png"] { try folder.write(three, to: name) }
        for name in ["train/b/4.png", "validation/a/4.png"] { try folder.write(four, to: name) }
        try folder.write(DrawnFile.png(94), to: "validation/b/5.png")
        let audit = try ImageAudit(of: folder.path)
        let found = audit.findings.map { finding in
            "\(finding.kind.rawValue) "
                + finding.paths.map { String($0.dropFirst(folder.path.count + 1)) }.joined(separator: ", ")
        }
        #expect(
            found == [
                "conflict train/a/3.png, train/b/3.png", "conflict train/b/4.png, validation/a/4.png",
                "leak train/a/2.png, validation/a/2.png", "leak train/b/4.png, validation/a/4.png",
                "duplicate train/a/1 again.png, train/a/1.png",
            ])
        #expect(audit.classCounts == ["a": [.training: 4, .validation: 2], "b": [.training: 2, .validation: 1]])
    }

    @Test func anImageThatWasScaledAndEncodedAnewIsNearlyTheSame() throws {
        let folder = try TemporaryFolder()
        try folder.write(DrawnFile.png(95, width: 96, height: 80), to: "train/a/1.png")
        try folder.write(DrawnFile.gif(95, width: 64, height: 50), to: "test/a/small.gif")
        try folder.write(DrawnFile.png(96), to: "train/b/2.png")
        try folder.write(DrawnFile.png(97), to: "test/b/3.png")
        let findings = try ImageAudit(of: folder.path).findings
        #expect(findings.map(\.kind) == [.leak])
        #expect(findings.first?.paths.map { FolderListing.name(of: $0) } == ["1.png", "small.gif"])
        #expect(findings.first?.detail.hasSuffix("and lie in train and test") == true)
    }

    @Test func unequalClassesAreReported() throws {
        let folder = try TemporaryFolder()
        for number in 0..<5 { try folder.write(DrawnFile.png(100 + number), to: "many/\(number).png") }
        try folder.write(DrawnFile.png(110), to: "few/1.png")
        let findings = try ImageAudit(of: folder.path).findings
        #expect(findings.map(\.kind) == [.imbalance])
        #expect(findings.first?.detail == "many has 5 images to train on and few 1: 5 times as many")
    }

    /// Of 40 × 30 pixels a square keeps three quarters, of 20 × 100 a fifth.
    @Test func whatACropWouldCutOffIsSaid() throws {
        let folder = try TemporaryFolder()
        for (number, (width, height)) in [(40, 40), (40, 30), (50, 100), (100, 99)].enumerated() {
            try folder.write(DrawnFile.png(130 + number, width: width, height: height), to: "\(number).png")
        }
        let loss = try #require(try ImageAudit(of: folder.path).cropLoss)
        #expect(loss.imageCount == 2 && loss.mean == 0.375 && loss.most == 0.5)
        #expect(loss.worst.map { FolderListing.name(of: $0) } == ["2.png", "1.png"])
        try folder.write(DrawnFile.png(134, width: 40, height: 40), to: "square/1.png")
        #expect(try ImageAudit(of: folder.path + "/square").cropLoss == nil)
    }

    @Test func threadsChangeNothing() throws {
        let folder = try TemporaryFolder()
        for number in 0..<20 { try folder.write(DrawnFile.png(120 + number / 2), to: "a/\(number).png") }
        let audits = try [1, 3].map { try ImageAudit(of: folder.path, threads: $0).findings }
        #expect(audits[0] == audits[1] && audits[0].count == 10)
        #expect(throws: GraftError.self) { try ImageAudit(of: folder.path, threads: 0) }
    }

    @Test func whatIsSuspiciousIsDrawn() throws {
        let folder = try TemporaryFolder()
        try folder.write(DrawnFile.png(130), to: "a/1.png")
        try folder.write(DrawnFile.png(130), to: "a/2.png")
        try folder.write(DrawnFile.gif(131, width: 16, height: 12), to: "b/3.gif")
        let audit = try ImageAudit(of: folder.path)
        let path = folder.path + "/sheet.png"
        let drawn = try audit.drawSuspicious(to: path)
        #expect(drawn.map(\.kind) == [.duplicate, .duplicate, .tiny])
        let sheet = try ImageDecoder().decode(contentsOf: path)
        // Three cells of 128 with gaps of 8.
        #expect((sheet.width, sheet.height) == (3 * 136 + 8, 136 + 8))
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.removeItem(atPath: folder.path + "/a/2.png")
        try FileManager.default.removeItem(atPath: folder.path + "/b/3.gif")
        #expect(try ImageAudit(of: folder.path).drawSuspicious(to: path).isEmpty)
        #expect(FolderListing.kind(of: path) == nil)
    }

    // MARK: Files of others

    private static let oddFormats = sharedPhotos.map { $0.replacing("cats-and-dogs", with: "odd-formats") }

    @Test(
        .enabled(if: oddFormats.flatMap { FolderListing.kind(of: $0) } == .folder, "needs images of the shared folder"))
    func oddFormatsOfOtherProjectsAreReported() throws {
        let audit = try ImageAudit(of: #require(Self.oddFormats))
        let kinds = kinds(audit)
        for name in ["truncated_image.png", "truncated_jpeg.jpg", "truncated.heic"] {
            #expect(kinds[name] == [.truncated], "\(name)")
        }
        for name in ["pil_sample_cmyk.jpg", "tiff_strip_cmyk_jpeg.tif"] {
            #expect(kinds[name]?.contains(.cmyk) == true)
        }
        for name in ["apng_dispose_op_none.png", "dispose_bgnd_rgba.gif", "multipage.tiff", "iss634.webp"] {
            #expect(kinds[name]?.contains(.animated) == true, "\(name)")
        }
        for name in ["RGB_16__128x128.png", "16bit.cropped.tif"] {
            #expect(kinds[name]?.contains(.sixteenBits) == true)
        }
        for number in 2...8 { #expect(kinds["Landscape_\(number).jpg"] == [.rotated]) }
        // The same scene, held in nine ways.
        let scenes = audit.findings.filter { $0.kind == .nearDuplicate }.map { Set($0.paths.map(FolderListing.name)) }
        let landscapes = Set((0...8).map { "Landscape_\($0).jpg" })
        #expect(scenes.contains { $0.isSuperset(of: landscapes) && $0.count == 9 })
    }
}
