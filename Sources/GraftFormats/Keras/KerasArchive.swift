import GraftModel

/// `.keras` files: zip archives of a model's configuration, its weights and, as Graft writes them, its metadata.
///
/// | member | holds |
/// |---|---|
/// | `metadata.json` | the version of Keras whose layout this is, and the date |
/// | `config.json` | the layers and their calls, as `Model.serialized` gives them |
/// | `model.weights.h5` | the weights, see ``KerasLayout`` |
/// | `graft.json` | classes, image rule and marks of layers, see ``GraftMember``; Keras passes it over |
///
/// Source: keras/src/saving/saving_lib.py.
enum KerasArchive {
    /// The version of Keras that the layout is taken from and checked against.
    static let kerasVersion = "3.15.1"

    static let metadataName = "metadata.json"
    static let configurationName = "config.json"
    static let weightsName = "model.weights.h5"

    /// A model of ten thousand layers has about ten megabytes of configuration.
    static let configurationLimit = 64 << 20

    // MARK: Writing

    /// About how many bytes an archive of these members has.
    static func byteCount(of members: [ZipWriter.Member]) -> Int {
        members.reduce(0) { $0 + $1.content.byteCount + 256 }
    }

    /// The members of a model's archive. The weights are shared with the model until they are written; where `sizesOnly`,
    /// zeros replace them.
    static func members(
        of model: Model, date: SaveDate, sizesOnly: Bool = false
    ) throws(GraftError) -> [ZipWriter.Member] {
        let metadata: Configuration = ["keras_version": .string(kerasVersion), "date_saved": .string(date.kerasText)]
        return [
            ZipWriter.Member(metadataName, bytes: metadata.json()),
            ZipWriter.Member(configurationName, bytes: model.serialized.json()),
            ZipWriter.Member(weightsName, try KerasWeights.file(of: model, sizesOnly: sizesOnly).stream()),
            ZipWriter.Member(GraftMember.name, bytes: try GraftMember(model.metadata, layers: model.layerFlags).json()),
        ]
    }

    // MARK: Reading

    static func read(
        _ path: String, sizes: InputShapes, registry: LayerRegistry
    ) throws(GraftError) -> Model {
        guard try !FileHead(path: path, count: 8).bytes.starts(with: HDF5Superblock.signature) else {
            return try HDF5Model.read(path, sizes: sizes, registry: registry)
        }
        let archive = try ZipArchive(reading: path)
        if let member = packedModel(in: archive) {
            return try read(member, packedIn: archive, sizes: sizes, registry: registry)
        }
        let model: Model
        do throws(GraftError) {
            let text = try archive.read(configurationName, limit: configurationLimit)
            var configuration = try Configuration(json: text).inKerasThreeForm()
            try sizes.settle(&configuration)
            model = try Model.deserialize(configuration, registry: registry)
            if archive.member(GraftMember.name) != nil {
                let member = try GraftMember(json: archive.read(GraftMember.name, limit: configurationLimit))
                (model.metadata, model.layerFlags) = (member.metadata, member.layers)
            }
            let compiled = CompileConfiguration(of: configuration)
            model.metadata.outputActivation = model.metadata.outputActivation ?? compiled.outputActivation
        } catch {
            throw error.message.hasPrefix(path) ? error : error.inside(path)
        }
        _ = try readWeights(of: archive, into: model)
        return model
    }

    /// The one whole `.h5` model in an archive that is no model itself, as Teachable Machine gives it for download.
    private static func packedModel(in archive: ZipArchive) -> ZipArchive.Member? {
        guard archive.member(configurationName) == nil else { return nil }
        // What macOS packs beside it is no model, nor are weights alone.
        let models = archive.members.filter {
            $0.name.hasSuffix(".h5") && !$0.name.hasSuffix(".weights.h5") && !$0.name.hasPrefix("__MACOSX/")
        }
        return models.count == 1 ? models[0] : nil
    }

    private static func read(
        _ member: ZipArchive.Member, packedIn archive: ZipArchive, sizes: InputShapes, registry: LayerRegistry
    ) throws(GraftError) -> Model {
        try TemporaryFolder.with { (folder) throws(GraftError) in
            let copy = folder + "/model.h5"
            try archive.extract(member.name, to: copy)
            let place = member.name.lastIndex(of: "/").map { String(member.name[...$0]) } ?? ""
            let labels = place + HDF5Model.labelsName
            if archive.member(labels) != nil { try archive.extract(labels, to: folder + "/" + HDF5Model.labelsName) }
            do throws(GraftError) {
                return try HDF5Model.read(copy, sizes: sizes, registry: registry)
            } catch {
                let message = error.message.replacing(copy, with: archive.place(of: member.name))
                throw GraftError(error.code, message, cause: error.cause)
            }
        }
    }

    /// Fills a model from the archive's weights: where they lie, or where somebody packed them, from an unpacked copy.
    static func readWeights(of archive: ZipArchive, into model: Model) throws(GraftError) -> WeightReport {
        if let slice = try archive.slice(weightsName) {
            return try KerasWeights.load(from: HDF5File(reading: slice), into: model)
        }
        return try TemporaryFolder.with { (folder) throws(GraftError) in
            let copy = folder + "/" + weightsName
            try archive.extract(weightsName, to: copy)
            let file = try File(reading: copy)
            let name = archive.place(of: weightsName)
            let slice = try FileSlice(file, offset: 0, byteCount: UInt64(file.byteCount), name: name)
            return try KerasWeights.load(from: HDF5File(reading: slice), into: model)
        }
    }
}
