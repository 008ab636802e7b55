import Foundation
import GraftGraph
import Testing

@testable import GraftApplications

@Suite struct ReachabilityTests {
    @Test func aServerThatHasTheFileAnswers() throws {
        let server = try LocalServer(Data("contents".utf8))
        #expect(try Reachability.check(server.url + "/whole") > .zero)
    }

    @Test func anotherStatusIsNamed() throws {
        let server = try LocalServer(Data())
        let error = #expect(throws: GraftError.self) { try Reachability.check(server.url + "/elsewhere") }
        #expect(error?.message == "127.0.0.1 answered with status 404")
    }

    @Test func aServerThatIsNotThereIsNamed() {
        let error = #expect(throws: GraftError.self) { try Reachability.check("http://127.0.0.1:1/file") }
        #expect(error?.message.hasPrefix("127.0.0.1 does not answer: ") == true)
    }
}
