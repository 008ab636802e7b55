import Foundation

/// A timeline in Chrome's trace-event format: one complete event (`ph` X) for each span, times in microseconds.
///
/// Source: "Trace Event Format", https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
struct ProfileTrace {
    private let timeline: Timeline

    init(_ timeline: Timeline) { self.timeline = timeline }

    /// The file's text.
    var json: String {
        var lines = [#"{"name":"process_name","ph":"M","pid":1,"tid":1,"args":{"name":"graft"}}"#]
        for (lane, name) in timeline.laneNames.sorted(by: { $0.key < $1.key }) {
            lines.append(
                #"{"name":"thread_name","ph":"M","pid":1,"tid":\#(lane),"args":{"name":\#(Self.quoted(name))}}"#)
        }
        lines += timeline.spans.map(Self.event)
        return #"{"displayTimeUnit":"ms","otherData":{"spansLeftOut":\#(timeline.leftOutCount)},"traceEvents":["#
            + "\n" + lines.joined(separator: ",\n") + "\n]}\n"
    }

    private static func event(_ span: Timeline.Span) -> String {
        let (name, category) = (quoted(span.name), quoted(span.category))
        // Nanoseconds: spans that follow one another must not overlap by rounding.
        let (start, end) = (Int((span.start * 1e9).rounded(.down)), Int((span.end * 1e9).rounded(.down)))
        let arguments =
            span.implementation.isEmpty ? "" : #","args":{"kernel":\#(quoted(span.implementation))}"#
        return #"{"name":\#(name),"cat":\#(category),"ph":"X","ts":\#(micro(start)),"dur":\#(micro(end - start)),"#
            + #""pid":1,"tid":\#(span.lane)\#(arguments)}"#
    }

    /// Nanoseconds as microseconds with three places.
    private static func micro(_ nanoseconds: Int) -> String {
        let rest = String(nanoseconds % 1000)
        return "\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    /// Text as JSON: names of layers come from files and may hold anything.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..."\u{1F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
