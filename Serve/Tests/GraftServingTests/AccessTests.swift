import HTTPTypes
import Hummingbird
import Testing

@testable import GraftServing

@Suite struct AccessTests {
    private func request(_ authority: String?, _ fields: HTTPFields = [:]) -> Request {
        Request(
            head: HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/", headerFields: fields),
            body: RequestBody(buffer: ByteBuffer()))
    }

    private let token = "0123456789abcdef"

    @Test func aTokenIsAskedForButOfWhatIsOpen() throws {
        let access = Access(token: token)
        try access.check(request("x", [.authorization: "Bearer " + token]), isOpen: false)
        try access.check(request("x"), isOpen: true)
        for wrong in [
            "", "Bearer", "Bearer ", "Bearer 0123456789abcdeF", "Bearer " + token + "0", "Basic " + token, token,
        ] {
            let error = #expect(throws: Refusal.self) {
                try access.check(request("x", [.authorization: wrong]), isOpen: false)
            }
            #expect(error?.status == .unauthorized)
        }
    }

    @Test(arguments: ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "[::1]"])
    func ownNamesAreAnswered(authority: String) throws {
        try Access(token: nil, hosts: Access.loopbackHosts).check(request(authority), isOpen: false)
    }

    /// DNS rebinding: a page of another site whose name points here says that name.
    @Test(arguments: ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example:80", ""])
    func otherNamesAreRefused(authority: String) {
        let access = Access(token: nil, hosts: Access.loopbackHosts)
        let error = #expect(throws: Refusal.self) { try access.check(request(authority), isOpen: true) }
        #expect(error?.status == .misdirectedRequest)
    }

    @Test func pagesOfOtherSitesAreRefused() throws {
        let access = Access(token: nil)
        try access.check(request("localhost:8080", [.origin: "http://localhost:8080"]), isOpen: false)
        for origin in ["http://evil.example", "null", "http://localhost:8081", "http://evillocalhost:8080"] {
            #expect(throws: Refusal.self) {
                try access.check(request("localhost:8080", [.origin: origin]), isOpen: true)
            }
        }
    }
}
