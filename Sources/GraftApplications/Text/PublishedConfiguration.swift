import GraftSystem

/// Where Hugging Face keeps the sizes of a network.
enum PublishedConfiguration {
    /// The path of a weight file's `config.json`.
    ///
    /// - Parameter name: the path where it is another file; that in the weights' folder where `nil`.
    /// - Throws: `GraftError` with code `file` where it is not there.
    static func path(beside weights: String, named name: String?) throws(GraftError) -> String {
        let folder = weights.lastIndex(of: "/").map { String(weights[...$0]) } ?? ""
        let path = name ?? folder + "config.json"
        guard FileBytes.byteCount(of: path) != nil else {
            throw GraftError(
                .file,
                "\(weights) needs its sizes, which Hugging Face keeps in config.json beside it; there is no \(path). Put it there, "
                    + "or name it")
        }
        return path
    }
}
