import GraftGraph

/// Files of a kind, known by their extensions.
package struct FileKind: Sendable {
    /// What messages call them: `pictures`.
    package let plural: String
    package let singular: String
    /// In lower case, without a dot.
    package let extensions: Set<String>

    package init(plural: String, singular: String, extensions: some Sequence<String>) {
        (self.plural, self.singular, self.extensions) = (plural, singular, Set(extensions))
    }

    /// Whether a file's extension is one of theirs, in whatever case.
    package func contains(_ name: String) -> Bool {
        Self.fileExtension(of: name).map { extensions.contains($0) } ?? false
    }

    /// Why a file is none of them.
    func reason(against name: String) -> String {
        guard let fileExtension = Self.fileExtension(of: name) else {
            return "has no extension, so it is not taken for a \(singular)"
        }
        return "has the extension .\(fileExtension), which is none of a \(singular) that Graft reads"
    }

    /// In lower case; `nil` for none.
    package static func fileExtension(of name: String) -> String? {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return nil }
        return String(name[name.index(after: dot)...]).lowercased()
    }
}
