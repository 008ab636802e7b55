import Foundation
import Graft
import NIOCore

/// Images as people have them: a form, the bytes of a file, or JSON with Base64.
struct PredictRequest {
    struct Image {
        let name: String
        let bytes: [UInt8]
    }

    private(set) var images: [Image] = []
    /// How many classes are wanted; all where it is `nil`.
    private(set) var top: Int?
    /// Which model; the first where it is `nil`.
    private(set) var model: String?

    static let mostClasses = 1_000_000

    init(_ body: ByteBuffer, of call: Call) throws {
        model = call.query("model")
        top = try call.number("top", in: 1...Self.mostClasses)
        let bytes = Array(body.readableBytesView)
        let type = call.header(.contentType)
        if let boundary = try Multipart.boundary(of: type) {
            try read(Multipart(bytes, boundary: boundary))
        } else if type?.lowercased().contains("json") == true || bytes.first == UInt8(ascii: "{") {
            try read(json: bytes)
        } else if !bytes.isEmpty {
            images = [Image(name: "image", bytes: bytes)]
        }
        guard !images.isEmpty else {
            throw Refusal.badRequest(
                "there is no image; send one as the body, as a form (curl -F image=@one.jpg), or in Base64 as {\"image\": \"…\"}"
            )
        }
    }

    private mutating func read(_ form: Multipart) throws(Refusal) {
        for part in form.parts {
            let text = part.filename == nil ? String(decoding: part.content.prefix(200), as: UTF8.self) : nil
            switch (part.name, text) {
            case ("model", let text?): model = model ?? text
            case ("top", let text?):
                guard let number = Int(text), (1...Self.mostClasses).contains(number) else {
                    throw .badRequest("top: got '\(text)', needs a whole number of at least 1")
                }
                top = top ?? number
            default:
                guard !part.content.isEmpty else {
                    throw .badRequest("the part '\(part.name)' of the form is empty; it should be an image")
                }
                images.append(Image(name: part.filename ?? part.name, bytes: Array(part.content)))
            }
        }
    }

    private mutating func read(json bytes: [UInt8]) throws {
        let object = try Configuration(json: bytes)
        guard object.members != nil else {
            throw Refusal.badRequest("the JSON is no object; {\"image\": \"…\"} is expected")
        }
        if let name = object["model"] {
            guard let text = name.text else { throw Refusal.badRequest("model: needs a name in quotation marks") }
            model = model ?? text
        }
        if let wanted = object["top"] {
            guard let number = wanted.integer, (1...Self.mostClasses).contains(number) else {
                throw Refusal.badRequest("top: needs a whole number of at least 1")
            }
            top = top ?? number
        }
        let entries = (object["image"].map { [$0] } ?? []) + (object["images"]?.elements ?? [])
        for (number, entry) in entries.enumerated() {
            let name = entry["name"]?.text ?? (entries.count == 1 ? "image" : "image \(number)")
            guard let text = entry.text ?? entry["data"]?.text else {
                throw Refusal.badRequest(
                    "image \(number): needs the file's bytes in Base64, as text or as {\"name\": …, \"data\": …}")
            }
            images.append(Image(name: name, bytes: try Self.decoded(text, number)))
        }
    }

    /// Base64, also as a page has it: `data:image/png;base64,…`.
    static func decoded(_ text: String, _ number: Int) throws(Refusal) -> [UInt8] {
        var content = Substring(text)
        if content.hasPrefix("data:"), let comma = content.firstIndex(of: ",") {
            content = content[content.index(after: comma)...]
        }
        guard let data = Data(base64Encoded: String(content), options: .ignoreUnknownCharacters), !data.isEmpty else {
            throw .badRequest("image \(number): is no Base64")
        }
        return [UInt8](data)
    }
}
