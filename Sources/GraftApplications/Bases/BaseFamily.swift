/// The networks of one paper, whose weights come from one place.
public struct BaseFamily: Hashable, Sendable {
    /// What they are called together: `ResNet`.
    public let name: String
    /// The licence of their published weights, as whoever publishes them says; `nil` where nobody says one.
    public let license: String?
    /// Who says so; where nobody does, who was asked.
    public let licenseSource: String

    /// A family whose weights have this licence.
    init(_ name: String, license: String?, source: String) {
        (self.name, self.license, licenseSource) = (name, license, source)
    }

    /// What is known of the licence, for people.
    public var licenseDescription: String { "\(license ?? "unclear") (\(licenseSource))" }
}

extension BaseFamily {
    /// Where Keras said which licences its weights have, network by network; today's pages say nothing.
    private static let kerasPages = "Keras 2.2's documentation"
    /// Where the question was asked for all of Keras's weights; ImageNet's images are for research alone.
    private static let unanswered = "keras-team/keras#13362"

    /// Keras's networks of a paper, with the licence that Keras's pages gave.
    static func keras(_ name: String, license: String? = nil) -> BaseFamily {
        BaseFamily(name, license: license, source: license == nil ? unanswered : kerasPages)
    }
}
