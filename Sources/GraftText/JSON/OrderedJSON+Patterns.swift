extension OrderedJSON {
    /// A pattern that is a text; regular expressions are refused.
    func pattern(_ name: String) throws(GraftError) -> [UInt8] {
        let pattern = try member(name, "an object", { $0.members == nil ? nil : $0 })
        if pattern["String"] != nil { return try pattern.shortText("String") }
        throw GraftError(
            .format,
            "\(kind) has the pattern \(pattern["Regex"]?.brief ?? pattern.brief); Graft takes a text, {\"String\": …}, here and "
                + "no regular expression")
    }
}
