internal import CZip

/// libzip as it was found when the program started.
package enum ZipLibrary {
    /// Such as `1.7.3`.
    package static var version: String { zip_libzip_version().map { String(cString: $0) } ?? "of no known version" }
}
