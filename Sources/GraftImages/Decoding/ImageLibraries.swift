internal import CJPEG
internal import CVips
import GraftGraph

/// The libraries that decode images, as they were found when the program started.
package enum ImageLibraries {
    /// libvips's version, such as `8.14.1`.
    package static var vipsVersion: String { VipsLibrary.versionText }

    /// The version of libjpeg-turbo whose headers Graft was built with, such as `2.1.5`; `nil` for another libjpeg, whose
    /// pixels differ from TensorFlow's.
    package static var jpegTurboVersion: String? {
        let number = Int(graft_jpeg_turbo_version())
        return number > 0 ? "\(number / 1_000_000).\(number / 1000 % 1000).\(number % 1000)" : nil
    }

    /// The formats that Graft reads and this libvips has no loader for, such as `HEIF`.
    ///
    /// - Throws: `GraftError` with code `image` where libvips cannot be started.
    package static func formatsWithoutLoader() throws(GraftError) -> [String] {
        try VipsLibrary.perform {
            ImageFormat.allCases
                .filter { $0 != .bmp && $0 != .jpeg && graft_vips_has_operation("\($0.loaderName)load_buffer") == 0 }
                .map(\.rawValue)
        }
    }
}
