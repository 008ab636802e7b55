import Foundation
import GraftSystem
import Testing

@testable import GraftCommand

@Suite struct ServeProgramTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A program that prints its arguments.
    private func program(_ name: String) throws -> String {
        let path = folder.url.appending(path: name)
        try Data("#!/bin/sh\necho \"$@\"\nexit 3\n".utf8).write(to: path)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path.path)
        return path.path
    }

    @Test func itIsFoundBesideGraft() throws {
        let path = try program("graft-serve")
        let graft = folder.url.appending(path: "graft")
        #expect(try ServeProgram.path(environment: [:], beside: graft) == path)
        #expect(try ServeProgram.path(environment: ["GRAFT_SERVE": ""], beside: graft) == path)
    }

    @Test func theVariableComesFirst() throws {
        _ = try program("graft-serve")
        let other = try program("other")
        let graft = folder.url.appending(path: "graft")
        #expect(try ServeProgram.path(environment: ["GRAFT_SERVE": other], beside: graft) == other)
        #expect(throws: GraftError.self) {
            try ServeProgram.path(environment: ["GRAFT_SERVE": other + "x"], beside: graft)
        }
    }

    @Test func argumentsAndExitCodeAreThePrograms() throws {
        let path = try program("other")
        let outcome = try GraftTool(folder: folder.url).run(
            ["serve", "a.keras", "--port", "1", "--help"], environment: ["GRAFT_SERVE": path])
        #expect(outcome.output == "serve a.keras --port 1 --help\n" && outcome.status == 3)
    }

    @Test func whereItIsMissingTheWayToItIsSaid() throws {
        let outcome = try GraftTool(folder: folder.url).run(
            ["studio"], environment: ["GRAFT_SERVE": "/nowhere/graft-serve"])
        #expect(outcome.status == 1)
        #expect(outcome.errors == "graft: GRAFT_SERVE is /nowhere/graft-serve, where no program is that can be run\n")
        let error = #expect(throws: GraftError.self) {
            try ServeProgram.path(environment: [:], beside: folder.url.appending(path: "graft"))
        }
        #expect(error?.message.contains("make serve") == true)
    }
}
