import Hummingbird
import Testing

@testable import GraftServing

@Suite struct RouteTableTests {
    private let table = RouteTable([
        Route(.get, "/") { _ in Answer.empty() }, Route(.get, "/v2/models/{model}") { _ in Answer.empty() },
        Route(.post, "/v2/models/{model}/infer") { _ in Answer.empty() },
        Route(.get, "/v2/models/stats") { _ in Answer.empty() },
    ])

    @Test func namesAreTakenFromThePath() throws {
        let (route, parameters) = try table.find(.post, "/v2/models/a%20b/infer")
        #expect(route.label == "/v2/models/{model}/infer" && parameters == ["model": "a b"])
        #expect(try table.find(.get, "/").0.label == "/")
        #expect(try table.find(.head, "/v2/models/x").0.method == .get)
    }

    @Test func otherMethodsAreToldWhatThereIs() {
        let error = #expect(throws: Refusal.self) { try table.find(.get, "/v2/models/x/infer") }
        #expect(error?.status == .methodNotAllowed && error?.message.contains("POST") == true)
    }

    @Test(arguments: ["/v3", "/v2/models/a/b/c", "/..", "/%2e%2e/etc/passwd", "/v2/models/%", "//v2//x//y//z"])
    func otherPathsAreNotFound(path: String) {
        let found = try? table.find(.post, path)
        #expect(found == nil)
    }

    @Test func aPathThatIsTooLongIsRefused() {
        let error = #expect(throws: Refusal.self) { try table.find(.get, "/" + String(repeating: "x", count: 5000)) }
        #expect(error?.status == .uriTooLong)
    }
}
