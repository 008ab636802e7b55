import Graft
import Testing

@testable import GraftCommand

@Suite struct PhotoReportTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func report(split: Double? = nil) throws -> PhotoReport {
        PhotoReport(
            try ImageFolder(at: folder.url.path, rule: ImageRule(height: 8, width: 8), validationSplit: split))
    }

    @Test func aSplitSaysHowMuchWasSetAside() throws {
        try folder.drawPictures(["cats": 10, "dogs": 5], below: ".")
        let report = try report(split: 0.2)
        #expect(
            report.lines == [
                "12 training images: 8 cats, 4 dogs", "3 validation images set aside (--validation-split 0.2)",
            ])
        #expect(
            report.warnings == [
                "with 3 validation images each is worth 33 % of val_accuracy: differences smaller than a few of them "
                    + "mean nothing",
                "dogs has 4 training images or a few more: expect accuracy to differ by several points with the "
                    + "choice of images; --head centered is often better on photos of things, --augment shows more of each image",
            ])
    }

    @Test func foldersOfTheirOwnAreCounted() throws {
        try folder.drawPictures(["cats": 2, "dogs": 2], below: "train")
        try folder.drawPictures(["cats": 25, "dogs": 25], below: "validation")
        try folder.drawPictures(["cats": 1, "dogs": 1], below: "test")
        let report = try report()
        #expect(
            report.lines == [
                "4 training images: 2 cats, 2 dogs", "50 validation images from their own folder",
                "2 test images, evaluated at the end",
            ])
        #expect(
            report.warnings == [
                "2 classes, such as cats, have 2 training images or a few more: expect accuracy to differ by several points with the "
                    + "choice of images; --head centered is often better on photos of things, --augment shows more of each image"
            ])
    }

    @Test func withoutValidationTheWayToOneIsSaid() throws {
        try folder.drawPictures(["cats": 6, "dogs": 6], below: ".")
        let report = try report()
        #expect(
            report.lines.last
                == "no validation images: give a validation folder or --validation-split to see how well it generalises"
        )
        #expect(report.warnings.isEmpty)
    }

    @Test func manyClassesAreCutShort() throws {
        for number in 10..<30 { try folder.drawPictures(["\(number)": 1], below: ".") }
        let line = try report().lines[0]
        #expect(line.hasSuffix("1 20, 1 21, … (20 classes)"))
    }
}
