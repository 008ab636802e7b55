import Foundation
import GraftGraph

extension ImageSplit {
    /// Writes the images with their labels and parts as a table (``ImageTable``), which training, evaluation and the audit
    /// read.
    ///
    /// Images below the table's folder are named from there, others by their whole path. A path that begins as a spreadsheet's
    /// formula does (`=`, `+`, `-`, `@`) gets `./` in front.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be written; `data` for a label with `|` or a line end in it,
    ///   which the table could not tell from two.
    public func write(to path: String) throws(GraftError) {
        for name in listing.classNames where name.contains(where: { $0 == "|" || $0.isNewline }) || name != name.trimmed
        {
            throw GraftError(
                .data,
                "the class '\(name)' has a bar, a line end or outer spaces in its name, and a table writes several "
                    + "labels with bars between them; rename its folder")
        }
        let folder = Self.whole(path).deletingLastPathComponent
        var text = "path,label,split\n"
        for entry in listing.entries {
            let fields = [
                Self.name(of: entry.path, from: folder), entry.labels.joined(separator: "|"), entry.part.rawValue,
            ]
            text += fields.map(\.csvField).joined(separator: ",") + "\n"
        }
        try AtomicFile.write(text, to: path)
    }

    private static func name(of file: String, from folder: String) -> String {
        let whole = whole(file) as String
        let start = folder.hasSuffix("/") ? folder : folder + "/"
        guard whole.hasPrefix(start) else { return whole }
        let name = String(whole.dropFirst(start.count))
        return "=+-@".contains(name.prefix(1)) ? "./" + name : name
    }

    /// The path from the root, without `.` and `..`; links stay.
    private static func whole(_ path: String) -> NSString {
        let root = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        var parts: [Substring] = []
        for part in root.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return ("/" + parts.joined(separator: "/")) as NSString
    }
}
