import ArgumentParser
import Graft

/// `graft preview`
struct Preview: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw what a network sees of images, augmented or not, as one PNG file.",
        discussion: """
            Each row is an image. With --augment its first column is the image as the network sees it where nothing is \
            augmented, the others are views: the first that graft train with the same recipe and seed draws. Without, the \
            columns are the image as it is in its file, and as the network sees it: what is squeezed, and what a small size \
            leaves of it.

            IMAGES is any folder; folders inside are searched too.

            Examples:
              graft preview photos
              graft preview photos --fit crop
              graft preview photos --augment flip,rotate:40,shift:0.2,shear:0.2,zoom:0.2 --output preview.png
              graft preview photos --augment imagedatagenerator --base inception-v3 --input-size 150 --images 4 --views 10
            """)

    @Argument(help: "The folder of images.", completion: .directory)
    var folder: String

    @Option(
        help: ArgumentHelp(
            "How views differ from their images. Parts: \(Augmentation.forms). (default: no views)", valueName: "recipe"
        ))
    var augment: String?

    @Option(help: ArgumentHelp("How many views of each image are shown.", valueName: "N"))
    var views = 6

    @Option(help: ArgumentHelp("How many images are shown, at equal distances through the folder.", valueName: "N"))
    var images = 6

    @Option(help: ArgumentHelp("The seed of the training whose views are shown.", valueName: "N"))
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "The network that looks, such as \(Base.resNet50.id); `graft bases` lists them.", valueName: "name"))
    var base = Base.pocket.id

    @OptionGroup var rule: ImageArguments

    @Option(
        name: [.long, .customShort("o")],
        help: ArgumentHelp("Where the sheet is written.", valueName: "file.png"))
    var output = "preview.png"

    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        try asUsage { () throws(GraftError) in _ = try recipe }
        try require((1...1000).contains(views), "--views", views, "1 to 1000")
        try require((1...1000).contains(images), "--images", images, "1 to 1000")
        try require(output.lowercased().hasSuffix(".png"), "--output", "'\(output)'", "a name that ends in .png")
    }

    func run() throws {
        let console = outputOptions.console
        console.outliveReader()
        try explain(on: console) {
            try OutputFile.check(output)
            let recipe = try recipe
            let files = try ImageFiles(below: folder, rule: recipe.rule)
            console.list(files.problems.map(\.description), title: "left out")
            let preview = try ImagePreview(
                of: files, count: images, augmentation: recipe.augmentation, views: views, seed: seed)
            try preview.write(to: output)
            report(preview, recipe, on: console)
        }
    }

    /// As `train` understands the same words.
    private var recipe: TrainingRecipe {
        get throws(GraftError) {
            let isFile = SavedModel.isNamed(by: base)
            var recipe =
                try isFile
                ? TrainingRecipe(model: SavedModel.base(base, inputSize: rule.inputSize))
                : TrainingRecipe(base: Base.named(base))
            recipe.augmentation = try augment.map { (text) throws(GraftError) in try Augmentation(option: text) }
            rule.apply(to: &recipe)
            return recipe
        }
    }

    /// The legend: names are told, not drawn.
    private func report(_ preview: ImagePreview, _ recipe: TrainingRecipe, on console: Console) {
        console.list(preview.failures.map(\.description), title: "left out, as they cannot be read")
        let rule = recipe.rule
        var words = ["\(rule.height) × \(rule.width) pixels", "resized by \(rule.resize.rawValue)"]
        if rule.fit != .stretch { words.append("by \(rule.fit.rawValue)") }
        if let window = rule.window { words.append("window \(window)") }
        if rule.isGrey { words.append("grey") }
        console.say("\(recipe.base.title) sees \(words.joined(separator: ", "))")
        if let augmentation = recipe.augmentation { console.say("views: \(augmentation), seed \(seed)") }
        let last = preview.columns.count > 2 ? "; then \(views.of("view"))" : ", \(preview.columns[1])"
        console.say("columns: \(preview.columns[0])\(last)")
        for (number, path) in preview.paths.enumerated() { console.say("row \(number + 1): \(path)") }
        console.say("wrote \(output)")
        var object = JSONObject(event: "done")
        object.add("output", .string(output))
        object.add("recipe", recipe.augmentation.map { .string($0.description) } ?? .null)
        object.add("columns", .strings(preview.columns))
        object.add("rows", .strings(preview.paths))
        object.add("left_out", .strings(preview.failures.map(\.path)))
        console.emit(object)
    }
}
