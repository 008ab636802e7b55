import Foundation
import Graft
import Testing

@testable import GraftServing

@Suite final class ProjectTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "graft-serve-\(UUID().uuidString)").path
    private let project: Project

    init() throws { project = try Project(folder: folder) }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    @Test func classesAndImagesAreFoldersAndFiles() throws {
        try project.addClass("  red   oak ")
        try project.addClass("birch")
        #expect(try project.addImage([1, 2], named: "a.JPG", toClass: "red oak") == ("a.jpg", true))
        #expect(try project.addImage([1, 2], named: "a.jpg", toClass: "red oak") == ("a.jpg", false))
        #expect(try project.addImage([3], named: "a.jpg", toClass: "red oak") == ("a-2.jpg", true))
        #expect(
            project.classes == [
                .init(name: "birch", images: []), .init(name: "red oak", images: ["a-2.jpg", "a.jpg"]),
            ])
        try project.moveImage("a.jpg", ofClass: "red oak", to: "birch")
        try project.renameClass("birch", to: "Birke")
        #expect(
            project.classes == [.init(name: "Birke", images: ["a.jpg"]), .init(name: "red oak", images: ["a-2.jpg"])])
        #expect(try Data(contentsOf: URL(filePath: folder + "/Birke/a.jpg")) == Data([1, 2]))
    }

    @Test func whatIsRemovedIsKeptAside() throws {
        try project.addClass("a")
        _ = try project.addImage([1], named: "x.png", toClass: "a")
        try project.removeImage("x.png", ofClass: "a")
        try project.removeClass("a")
        #expect(project.classes.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/.graft-removed").count == 2)
    }

    @Test(arguments: [
        "", " ", ".", "..", "../x", "a/b", "a\\b", "a\u{0}b", ".hidden", "train", "Validation", "x.", "a\nb\u{7}",
        "\u{202E}gpj", String(repeating: "x", count: 81), "con",
    ])
    func namesThatMeanSomethingElseAreRefused(name: String) throws {
        #expect(throws: Refusal.self) { try project.addClass(name) }
        try project.addClass("plain")
        #expect(throws: Refusal.self) { try project.renameClass("plain", to: name) }
    }

    @Test func oneNameIsOneClass() throws {
        try project.addClass("Oak")
        #expect(throws: Refusal.self) { try project.addClass("oak") }
        #expect(throws: Refusal.self) { try project.addImage([1], named: "a.jpg", toClass: "oa") }
    }

    /// What a page names never leads out of the project.
    @Test(arguments: [
        "..", "../secret.jpg", "/etc/passwd", "a/../../secret.jpg", "secret.jpg", ".hidden.jpg", "notes.txt", "",
    ])
    func namesNeverLeadOutside(name: String) throws {
        try project.addClass("a")
        for file in ["a/.hidden.jpg", "a/notes.txt", "secret.jpg"] {
            try Data([1]).write(to: URL(filePath: folder + "/" + file))
        }
        #expect(throws: Refusal.self) { try project.path(ofImage: name, inClass: "a") }
        #expect(throws: Refusal.self) { try project.path(ofImage: "x.jpg", inClass: name) }
    }

    @Test func fileNamesBecomePlain() {
        #expect(ProjectNames.fileName("one.jpg") == "one.jpg")
        #expect(ProjectNames.fileName("C:\\photos\\Eiche 1.PNG") == "Eiche 1.png")
        #expect(ProjectNames.fileName("../../etc/passwd") == "passwd.jpg")
        #expect(ProjectNames.fileName(".jpg") == "image.jpg" || ProjectNames.fileName(".jpg") == "jpg.jpg")
        #expect(ProjectNames.fileName("") == "image.jpg")
        #expect(ProjectNames.fileName("a.b.jpeg") == "a.b.jpeg")
        #expect(ProjectNames.fileName("...x\u{7}.gif") == "x.gif")
        #expect(ProjectNames.fileName(String(repeating: "ä", count: 300) + ".png").utf8.count <= 90)
    }

    @Test func aFolderInPartsIsThatOfTraining() throws {
        for part in ["train/a", "train/b", "validation/a"] {
            try FileManager.default.createDirectory(atPath: folder + "/" + part, withIntermediateDirectories: true)
        }
        #expect(project.classes.map(\.name) == ["a", "b"])
    }
}
