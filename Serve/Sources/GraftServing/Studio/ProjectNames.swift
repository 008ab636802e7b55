/// What classes and images may be called. Names from a page become names of folders and files only through here.
enum ProjectNames {
    /// Folders that mean something else to `graft train`, or to a system.
    private static let taken: Set<String> = [
        "train", "training", "validation", "val", "valid", "test", "testing", "__macosx", "@eadir", "$recycle.bin",
        "con",
        "nul", "aux", "prn",
    ]
    private static let endings: Set<String> = [
        "jpg", "jpeg", "jpe", "png", "bmp", "gif", "webp", "tif", "tiff", "heic", "heif", "avif", "dcm", "dicom",
    ]
    private static let longest = 80

    /// A name for a class.
    ///
    /// - Throws: 400 for one that is no name of a folder, everywhere.
    static func className(_ text: String) throws(Refusal) -> String {
        let name = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let isAllPlain = name.unicodeScalars.allSatisfy { isPlain($0) } && !name.hasPrefix(".") && !name.hasSuffix(".")
        guard !name.isEmpty, name.utf8.count <= longest, isAllPlain, !taken.contains(name.lowercased()) else {
            throw .badRequest(
                "'\(text.prefix(longest))' cannot be a class's name; take 1 to \(longest) letters, digits and spaces, and none that "
                    + "means something else, such as train")
        }
        return name
    }

    /// A name for a file, after the one that the client has; always with an image's ending.
    static func fileName(_ text: String) -> String {
        let last = text.split { $0 == "/" || $0 == "\\" }.last ?? ""
        let parts = last.split(separator: ".")
        let ending = parts.count > 1 ? parts.last.map { $0.lowercased() } ?? "" : ""
        let isKnown = endings.contains(ending)
        let stem = (isKnown ? Array(parts.dropLast()) : parts).joined(separator: ".")
        var name = ""
        for scalar in stem.unicodeScalars where isPlain(scalar) && name.utf8.count < longest {
            name.unicodeScalars.append(scalar)
        }
        let plain = name.drop { $0 == "." || $0 == " " || $0 == "-" }
        return (plain.isEmpty ? "image" : String(plain)) + "." + (isKnown ? ending : "jpg")
    }

    /// Whether a file of this name is an image to `graft train`.
    static func isImage(_ name: String) -> Bool {
        guard !name.hasPrefix("."), let ending = name.split(separator: ".").last, name.contains(".") else {
            return false
        }
        return endings.contains(ending.lowercased())
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: return false
        default: return !"/\\:*?\"<>|".unicodeScalars.contains(scalar)
        }
    }
}
