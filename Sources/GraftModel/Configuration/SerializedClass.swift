/// Which class a serialized object is of: Keras's own, or somebody's, which may be called the same.
///
/// Keras writes three members for it: `class_name`; `module`, where a program finds the class; and `registered_name`,
/// `null` for the classes of Keras's interface. A custom class that is called `Dense` has the module that it was written
/// in (`null` where that was the program itself) and the name that it was registered under, such as `my>Dense`; `Dense`
/// where it was not registered.
///
/// Source: keras/src/saving/serialization_lib.py, `serialize_keras_object`; object_registration.py.
package struct SerializedClass {
    /// The class's name without its package: `Dense`.
    package let name: String
    private let module: String?
    private let registeredName: String?

    /// What an object says of its class; `nil` where it says nothing.
    package init?(_ serialized: Configuration) {
        guard let name = serialized["class_name"]?.text else { return nil }
        self.name = name
        module = serialized["module"]?.text
        registeredName = serialized["registered_name"]?.text
    }

    /// Keras's modules; `tf_keras` is Keras 2 under the name it has next to Keras 3.
    private static let packages: Set<Substring> = ["keras", "tf_keras"]

    /// Whether the class is not Keras's. Files of old versions and names alone say no module: they mean Keras's.
    package var isCustom: Bool {
        guard let module else { return registeredName != nil }
        guard let package = module.split(separator: ".").first, Self.packages.contains(package) else { return true }
        return registeredName.map { $0 != name } ?? false
    }

    /// Whether a module is named, and is one of Keras's.
    var hasModuleOfKeras: Bool { module?.split(separator: ".").first.map(Self.packages.contains) ?? false }

    /// The name that tells the class from others: `my>Dense`.
    var fullName: String { String((registeredName ?? name).prefix(60)) }

    /// Whether it is an operator of Python or a function of `keras.ops`, such as `x + y`, and no layer.
    var isOperation: Bool {
        ["keras.src.ops.", "keras.src.activations."].contains { module?.hasPrefix($0) ?? false }
    }

    /// The failure for a custom class, which nothing but its own code can compute.
    func refusal(of kind: String, wayOut: String) -> GraftError {
        let origin = module.map { " of \($0.prefix(60))" } ?? ""
        return GraftError(
            .format,
            "the \(kind) \(fullName)\(origin) is somebody's own class: only its code knows what it computes, whatever it "
                + "is called; \(wayOut)")
    }
}
