import Foundation
import GraftTraining

/// A page of HTML in one file: it loads nothing, needs no script, follows the viewer's light or dark scheme, and prints.
///
/// All text is escaped; what a caller gives as ``raw(_:)`` must be.
package struct HTMLPage {
    private let title: String
    private var lines: [String] = []
    private var isInSection = false

    /// A page with this title and heading.
    package init(title: String) { self.title = title }

    /// The text of the file.
    package var document: String {
        var all = [
            "<!DOCTYPE html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\">",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
            "<meta name=\"color-scheme\" content=\"light dark\">",
            "<title>\(Self.escaped(title))</title>", Self.style, "</head>", "<body>", "<main>",
            "<h1>\(Self.escaped(title))</h1>",
        ]
        all += lines
        if isInSection { all.append("</section>") }
        return (all + ["</main>", "</body>", "</html>"]).joined(separator: "\n") + "\n"
    }

    /// Begins a section, which ends where the next begins.
    package mutating func section(_ heading: String, id: String) {
        if isInSection { lines.append("</section>") }
        isInSection = true
        lines.append("<section aria-labelledby=\"\(id)\">\n<h2 id=\"\(id)\">\(Self.escaped(heading))</h2>")
    }

    /// A heading inside of a section.
    package mutating func heading(_ text: String) { lines.append("<h3>\(Self.escaped(text))</h3>") }

    /// A paragraph.
    package mutating func paragraph(_ text: String, kind: String? = nil) {
        lines.append("<p\(kind.map { " class=\"\($0)\"" } ?? "")>\(Self.escaped(text))</p>")
    }

    /// A list with points, or with numbers.
    package mutating func list(_ entries: [String], numbered: Bool = false) {
        let tag = numbered ? "ol" : "ul"
        lines.append("<\(tag)>" + entries.map { "<li>\(Self.escaped($0))</li>" }.joined() + "</\(tag)>")
    }

    /// A table. The first column heads its rows; the others are numbers, aligned so.
    ///
    /// - Parameter marked: cells with a background, by row and column, the strength from 0 to 1.
    package mutating func table(
        _ caption: String, _ columns: [String], _ rows: [[String]], marked: [[Double]]? = nil
    ) {
        var html = "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"\(Self.escaped(caption))\"><table>"
        html += "<caption>\(Self.escaped(caption))</caption><thead><tr>"
        html += columns.map { "<th scope=\"col\">\(Self.escaped($0))</th>" }.joined() + "</tr></thead><tbody>"
        for (number, row) in rows.enumerated() {
            html += "<tr>"
            for (column, cell) in row.enumerated() {
                let strength = marked.map { $0[number][column] } ?? 0
                let style = strength > 0 ? " style=\"--m:\(Int((100 * min(strength, 1)).rounded()))%\" class=\"m\"" : ""
                html +=
                    column == 0
                    ? "<th scope=\"row\">\(Self.escaped(cell))</th>" : "<td\(style)>\(Self.escaped(cell))</td>"
            }
            html += "</tr>"
        }
        lines.append(html + "</tbody></table></div>")
    }

    /// Images side by side, each with words below it.
    ///
    /// - Parameter images: the bytes of JPEG files, what they show for those who cannot see them, and the words.
    package mutating func gallery(_ images: [(jpeg: [UInt8], alternative: String, caption: String)]) {
        guard !images.isEmpty else { return }
        let figures = images.map { image in
            "<figure><img src=\"data:image/jpeg;base64,\(Data(image.jpeg).base64EncodedString())\" alt=\"\(Self.escaped(image.alternative))\">"
                + "<figcaption>\(Self.escaped(image.caption))</figcaption></figure>"
        }
        lines.append("<div class=\"gallery\">\n" + figures.joined(separator: "\n") + "\n</div>")
    }

    /// A drawing.
    ///
    /// - Parameter svg: a whole SVG file; it is embedded as an image, so that its styles stay its own.
    package mutating func drawing(_ svg: String, alternative: String) {
        let data = Data(svg.utf8).base64EncodedString()
        lines.append(
            "<img class=\"drawing\" src=\"data:image/svg+xml;base64,\(data)\" alt=\"\(Self.escaped(alternative))\">")
    }

    /// Something that is shown when it is asked for.
    package mutating func details(_ summary: String, _ body: (inout HTMLPage) -> Void) {
        lines.append("<details><summary>\(Self.escaped(summary))</summary>")
        body(&self)
        lines.append("</details>")
    }

    /// Text without what HTML would read as markup; what cannot be seen, such as marks that turn the direction of text, is written by
    /// its number.
    package static func escaped(_ text: String) -> String { SVGText.escaped(text.printable) }

    /// Contrast of text with its background is at least 4.5 to 1 in both schemes.
    private static let style = """
        <style>
        :root { --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --mark: #bc4c00; --tint: 188 76 0; }
        @media (prefers-color-scheme: dark) {
        :root { --paper: #0d1117; --ink: #f0f6fc; --soft: #9aa4af; --line: #3d444d; --mark: #ffa657; --tint: 255 166 87; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
        main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
        h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
        h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
        h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; overflow-wrap: anywhere; }
        p, li { max-width: 44rem; overflow-wrap: anywhere; }
        .answer { font-size: 1.15rem; }
        .note, figcaption, caption { color: var(--soft); font-size: .875rem; }
        .wide { overflow-x: auto; margin: .75rem 0; }
        table { border-collapse: collapse; min-width: 18rem; font-variant-numeric: tabular-nums; font-size: .9rem; }
        caption { text-align: left; padding-bottom: .25rem; }
        th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
        th[scope=row], thead th:first-child { text-align: left; }
        td.m { background: rgb(var(--tint) / var(--m)); }
        .gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .75rem; margin: .75rem 0; }
        figure { margin: 0; break-inside: avoid; }
        figure img { width: 100%; height: auto; display: block; border: 1px solid var(--line); }
        figcaption { overflow-wrap: anywhere; line-height: 1.35; padding-top: .25rem; }
        .drawing { max-width: 100%; height: auto; display: block; margin: .75rem 0; }
        details { margin: .5rem 0; } summary { cursor: pointer; }
        @media print { body { font-size: 11pt; } main { max-width: none; } .wide { overflow: visible; } section { break-inside: auto; } h2, h3 { break-after: avoid; } }
        </style>
        """
}
