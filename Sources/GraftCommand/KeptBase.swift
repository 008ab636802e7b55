import Graft

/// Which file a run's base is, where it is a whole model: a checkpoint keeps the file's SHA-256.
enum KeptBase {
    private static let key = "base"

    /// For a checkpoint's notes; `nil` where the base is no file.
    static func note(of base: any NetworkBase) throws(GraftError) -> (key: String, value: Configuration)? {
        guard let checksum = try (base as? ModelBase)?.checksum() else { return nil }
        return (key, .string(checksum.digits))
    }

    /// Sees to it that a run goes on with the file that it was begun with.
    ///
    /// - Throws: `GraftError` with code `file` where the file is another one now.
    static func check(_ base: any NetworkBase, _ kept: KeptRun) throws(GraftError) {
        guard let now = try note(of: base), let before = kept.values["notes"]?[key], before != now.value else { return }
        throw GraftError(
            .file,
            "--resume: \(base.id) is not the file that the run was begun with (SHA-256 \(before.text?.prefix(12) ?? "?")…, now "
                + "\(now.value.text?.prefix(12) ?? "?")…); put that one back, or train anew")
    }
}
