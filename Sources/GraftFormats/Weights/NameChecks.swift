import GraftModel

/// A layer's name taken apart: `conv2d_12` is number 12 of `conv2d`, and `conv2d` is number 0.
struct SerialName: Equatable {
    let base: String
    let number: Int

    init(_ name: String) {
        if let separator = name.lastIndex(of: "_"), let number = Int(name[name.index(after: separator)...]), number >= 0
        {
            (base, self.number) = (String(name[..<separator]), number)
        } else {
            (base, number) = (name, 0)
        }
    }
}

/// Whether layers that both the file and the model number run in the same order.
///
/// Keras numbers layers as they are made and lists them by their depth in the graph, so the numbers along the list are a
/// fingerprint of the model. Reading InceptionV3 in another order would put one 1×1×192×64 kernel into another's
/// place with no shape to complain; the numbers do. Where names are of other kinds there is nothing to compare, which
/// is no mistake: Xception's file says `convolution2d_1` for `conv2d`.
struct LayerOrderCheck {
    let model: [String]
    let file: [String]

    func report(to assignment: inout WeightAssignment) {
        let pairs = zip(model, file).map { (model: SerialName($0), file: SerialName($1)) }
        var families: [String: [(model: Int, file: Int)]] = [:]
        var strangers = 0
        for (position, pair) in pairs.enumerated() {
            if pair.model.base == pair.file.base {
                families[pair.model.base, default: []].append((pair.model.number, pair.file.number))
            } else {
                strangers += 1
                if strangers == 1 {
                    assignment.note("the file calls \(model[position]) \(file[position])")
                }
            }
        }
        if strangers > 1 {
            assignment.note("\(strangers) layers have other names in the file; they were matched by position")
        }
        for (base, numbers) in families.sorted(by: { $0.key < $1.key }) {
            let inFileOrder = numbers.sorted { $0.file < $1.file }
            guard let clash = zip(inFileOrder, inFileOrder.dropFirst()).first(where: { $0.model >= $1.model }) else {
                continue
            }
            assignment.addProblem(
                "the file's \(name(base, clash.0.file)) and \(name(base, clash.1.file)) stand where this model has "
                    + "\(name(base, clash.0.model)) and \(name(base, clash.1.model)): the layers are in another order")
        }
    }

    private func name(_ base: String, _ number: Int) -> String { number == 0 ? base : "\(base)_\(number)" }
}

/// Whether a layer's arrays are the model's in the model's order: `gamma` must not fill `beta` because both fit.
///
/// For a model inside a model, Keras's order depends on what was frozen when the file was saved: layer by layer where all
/// was, else all that trained first. Where the names say that it was otherwise than now, the file's order holds.
struct ArrayOrderCheck {
    /// The layer's variables in the file's order, as far as the names tell.
    let variables: [Variable]
    private let layer: Layer
    private let found: [String]

    init(layer: Layer, stored: [String]) {
        let found = stored.map(Self.leaf)
        let all = layer.variables
        let orders = [layer.legacyVariables, all, all.filter(\.trainable) + all.filter { !$0.trainable }]
        variables = orders.first { $0.map(\.name) == found } ?? layer.legacyVariables
        (self.layer, self.found) = (layer, found)
    }

    func report(to assignment: inout WeightAssignment) {
        let expected = variables.map(\.name)
        if expected == found, variables != layer.legacyVariables {
            assignment.note("the arrays of \(layer.name) are in another order, as other layers were frozen in the file")
        }
        guard expected != found, expected.sorted() == found.sorted() else { return }
        assignment.addProblem(
            "layer \(layer.name) has \(expected.joined(separator: ", ")), the file has them in another order: "
                + found.joined(separator: ", "))
    }

    /// `conv2d_1/kernel:0` → `kernel`.
    static func leaf(_ path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? path
        return last.split(separator: ":").first.map(String.init) ?? last
    }
}
