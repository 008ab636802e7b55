/// Something that an audit has to say about one image or about several together.
public struct ImageFinding: Sendable, Hashable {
    /// What was found.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        // What cannot be used.
        /// A file of no bytes.
        case empty
        /// A file named like an image that is none: a text, a page of the web, a film.
        case notAnImage = "not_an_image"
        /// The file ends before its image does.
        case truncated
        /// The file cannot be decoded, or not be opened.
        case unreadable
        /// More pixels or bytes than Graft reads.
        case tooLarge = "too_large"
        /// A pipe, a device, a link that leads nowhere.
        case special

        // What harms training.
        /// The same image under two classes.
        case conflict
        /// The same image in two parts, such as training and validation.
        case leak
        /// The same bytes more than once.
        case duplicate
        /// Images that look the same: scaled, encoded anew, brightened.
        case nearDuplicate = "near_duplicate"
        /// Decoded, but its data are damaged, so that some of it is wrong.
        case damaged
        /// So few pixels that little can be seen.
        case tiny
        /// A class with far more images than another.
        case imbalance
        /// A folder of a class with no image in it.
        case emptyClass = "empty_class"
        /// An image that nothing gives a class.
        case unlabelled

        // What is good to know.
        /// An image of another format than its name says.
        case otherFormat = "other_format"
        /// Stored as inks; it is converted.
        case cmyk
        /// 16 bits a channel or more; the upper 8 are used.
        case sixteenBits = "sixteen_bits"
        /// Several frames or pages; the first is used.
        case animated
        /// Its camera notes that it was held otherwise; it is made upright.
        case rotated
        /// Slow to decode.
        case huge
        /// A file or folder that is no image.
        case stray
        /// A hidden file or folder, or one that a system left behind.
        case hidden
    }

    /// How much it matters.
    public enum Severity: String, Sendable, Hashable, Comparable, CaseIterable {
        /// The file is left out.
        case unusable
        /// Training works, and its result is worse or seems better than it is.
        case problem
        /// Graft does the right thing.
        case note

        /// The worst first.
        public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// What was found.
    public let kind: Kind
    /// The files: one, or all that belong together.
    public let paths: [String]
    /// What exactly, such as `held sideways (EXIF orientation 6)`.
    public let detail: String

    /// How much it matters.
    public var severity: Severity { kind.severity }
}

extension ImageFinding.Kind {
    /// How much it matters.
    public var severity: ImageFinding.Severity {
        switch self {
        case .empty, .notAnImage, .truncated, .unreadable, .tooLarge, .special: .unusable
        case .conflict, .leak, .duplicate, .nearDuplicate, .damaged, .tiny, .imbalance, .emptyClass, .unlabelled:
            .problem
        case .otherFormat, .cmyk, .sixteenBits, .animated, .rotated, .huge, .stray, .hidden: .note
        }
    }

    /// What a report calls it.
    public var title: String {
        switch self {
        case .empty: "empty"
        case .notAnImage: "no image, though named like one"
        case .truncated: "truncated"
        case .unreadable: "unreadable"
        case .tooLarge: "too large"
        case .special: "no regular file"
        case .conflict: "the same image under several classes"
        case .leak: "the same image in several parts"
        case .duplicate: "the same image more than once"
        case .nearDuplicate: "nearly the same image"
        case .damaged: "damaged"
        case .tiny: "tiny"
        case .imbalance: "unequal classes"
        case .emptyClass: "class without images"
        case .unlabelled: "without a class"
        case .otherFormat: "of another format than its name says"
        case .cmyk: "stored as CMYK"
        case .sixteenBits: "more than 8 bits a channel"
        case .animated: "several frames or pages"
        case .rotated: "turned upright"
        case .huge: "huge"
        case .stray: "stray"
        case .hidden: "hidden"
        }
    }
}
