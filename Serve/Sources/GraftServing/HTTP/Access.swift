import HTTPTypes
import Hummingbird

/// Who may ask: those with the token where there is one; and pages of other sites never.
struct Access: Sendable {
    /// What `Authorization: Bearer` has to say; `nil` where nobody has to say anything.
    var token: String?
    /// The names by which this server is reached where it is bound to loopback: a page of another site whose name was made to
    /// point here (DNS rebinding) says another. `nil` for any.
    var hosts: Set<String>?

    static let loopbackHosts: Set<String> = ["localhost", "127.0.0.1", "[::1]", "::1"]

    func check(_ request: Request, isOpen: Bool) throws(Refusal) {
        try checkHost(request)
        try checkOrigin(request)
        guard let token, !isOpen else { return }
        let given = request.headers[.authorization] ?? ""
        let scheme = "bearer "
        guard given.lowercased().hasPrefix(scheme), Self.areEqual(given.dropFirst(scheme.count), token) else {
            throw Refusal(.unauthorized, "this server asks for a token: Authorization: Bearer TOKEN")
        }
    }

    private func checkHost(_ request: Request) throws(Refusal) {
        guard let hosts, let authority = request.head.authority else { return }
        guard hosts.contains(Self.name(in: authority)) else {
            throw Refusal(
                .misdirectedRequest,
                "this server is bound to loopback and answers as localhost alone; --host names the address for others")
        }
    }

    /// A browser says which page asks; CORS is off, so only pages of this server may.
    private func checkOrigin(_ request: Request) throws(Refusal) {
        guard let origin = request.headers[.origin], let authority = request.head.authority else { return }
        let own = origin.hasSuffix("://" + authority)
        guard own else { throw Refusal(.forbidden, "pages of other sites may not ask this server") }
    }

    /// Without the port.
    private static func name(in authority: String) -> String {
        let lower = authority.lowercased()
        if lower.hasPrefix("["), let end = lower.firstIndex(of: "]") { return String(lower[...end]) }
        return String(lower.prefix { $0 != ":" })
    }

    /// In a time that does not tell how much of it was right.
    static func areEqual(_ one: some StringProtocol, _ other: String) -> Bool {
        let (left, right) = (Array(one.utf8), Array(other.utf8))
        var difference = UInt8(left.count == right.count ? 0 : 1)
        for (position, byte) in right.enumerated() {
            difference |= byte ^ (left.indices.contains(position) ? left[position] : 0)
        }
        return difference == 0
    }
}
