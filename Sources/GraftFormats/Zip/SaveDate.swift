import Foundation
import GraftGraph

/// The date that saved files carry: now, or the one that `SOURCE_DATE_EPOCH` gives, in seconds since 1970, so that equal
/// contents are equal files.
///
/// Source: reproducible-builds.org/specs/source-date-epoch.
struct SaveDate: Equatable {
    /// `nil` for now, in the time of this place.
    private let seconds: Int?

    /// A given second, in universal time.
    init(secondsSince1970 seconds: Int) { self.seconds = seconds }

    /// As the environment has it.
    ///
    /// - Throws: `.argument` where it has something that is no date.
    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws(GraftError) {
        guard let text = environment["SOURCE_DATE_EPOCH"] else {
            seconds = nil
            return
        }
        guard let seconds = Int(text), (0..<Self.end).contains(seconds) else {
            throw GraftError(
                .argument,
                "SOURCE_DATE_EPOCH is \"\(text.prefix(60))\"; it needs the seconds since 1970 as a whole number below "
                    + "\(Self.end), such as 1735689600, or to be unset")
        }
        self.seconds = seconds
    }

    /// The last date of a zip archive is in 2107.
    private static let end = 4_354_819_200

    private var parts: tm {
        var parts = tm()
        var time = seconds.map { time_t($0) } ?? Foundation.time(nil)
        _ = seconds == nil ? localtime_r(&time, &parts) : gmtime_r(&time, &parts)
        return parts
    }

    /// As Keras writes it: `2026-11-21@19:20:31`.
    var kerasText: String {
        var (parts, text) = (parts, [CChar](repeating: 0, count: 32))
        strftime(&text, text.count, "%Y-%m-%d@%H:%M:%S", &parts)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// As zip archives store it, without a time zone and to two seconds; they begin in 1980.
    var dos: (time: UInt16, date: UInt16) {
        let parts = parts
        guard parts.tm_year >= 80 else { return (0, 0x21) }
        let time = parts.tm_hour << 11 | parts.tm_min << 5 | parts.tm_sec / 2
        let date = (parts.tm_year - 80) << 9 | (parts.tm_mon + 1) << 5 | parts.tm_mday
        return (UInt16(truncatingIfNeeded: time), UInt16(truncatingIfNeeded: date))
    }
}
