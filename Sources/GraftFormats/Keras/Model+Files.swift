import GraftModel

extension Model {
    /// Writes the model with its weights and metadata to one file, which Keras 3 opens without custom code.
    ///
    /// The file is written under a temporary name, seen onto the disk and renamed: whatever happens on the way, the
    /// file that was there before stays whole. Until then the disk holds both.
    ///
    /// The file carries the date, that of the environment's `SOURCE_DATE_EPOCH` where there is one: equal models are equal
    /// files then.
    ///
    /// - Parameter path: Ends in `.keras`, as Keras asks for.
    /// - Throws: `.argument` for another ending; `.file` where the disk refuses, with the room that is needed; `.state`
    ///   for a ``Sequential`` that does not know its input yet.
    public func save(_ path: String) throws(GraftError) {
        guard path.hasSuffix(".keras") else {
            throw GraftError(
                .argument, "models are saved to files that end in .keras, not \(path); Keras opens no others")
        }
        _ = try requireGraph()
        let date = try SaveDate()
        let members = try KerasArchive.members(of: self, date: date)
        let byteCount = KerasArchive.byteCount(of: members)
        AtomicFile.removePartials(of: path)
        try AtomicFile.write(to: path, byteCount: byteCount) { (temporary) throws(GraftError) in
            try ZipWriter.write(members, to: temporary, date: date)
        }
    }

    /// Which run of training wrote a file; `nil` where none did, or it is no such file.
    package static func run(ofFileAt path: String) -> String? {
        let bytes = try? ZipArchive(reading: path).read(GraftMember.name, limit: KerasArchive.configurationLimit)
        return bytes.flatMap { try? GraftMember(json: $0) }?.metadata.run
    }

    /// Fills the model with the weights of a file: all of them, or where anything does not fit, none.
    ///
    /// - Parameter path: A `.keras` archive, a `.weights.h5` of Keras 3, or an older `.h5` (see ``LegacyWeights``);
    ///   what it is, is seen from its contents.
    /// - Returns: What was loaded.
    /// - Throws: as ``load(_:inputShape:registry:)`` and ``LegacyWeights/load(from:into:checking:)``.
    @discardableResult
    public func loadWeights(_ path: String) throws(GraftError) -> WeightReport {
        if try FileHead(path: path, count: 4).bytes.starts(with: [0x50, 0x4B]) {
            return try KerasArchive.readWeights(of: ZipArchive(reading: path), into: self)
        }
        return try LegacyWeightsFile.isLegacy(path)
            ? LegacyWeights.load(from: path, into: layers)
            : KerasWeights.load(from: HDF5File(reading: path), into: self)
    }

    /// Looks whether the disk has room for ``save(_:)``, so that a long run does not find out at its end. No variable gets
    /// its initial value for it.
    ///
    /// - Throws: `.file` with the room that is needed and the room there is.
    package func checkRoom(toSave path: String) throws(GraftError) {
        let byteCount = try KerasArchive.byteCount(
            of: KerasArchive.members(of: self, date: SaveDate(), sizesOnly: true))
        try DiskRoom(needed: byteCount, folder: AtomicFile.folder(of: path)).check(for: path)
    }

    /// Writes the weights alone, as Keras 3's `save_weights` does.
    ///
    /// - Parameter path: Ends in `.weights.h5`, as Keras asks for.
    /// - Throws: `.argument` for another ending; `.file` where the disk refuses; the file that was there stays whole.
    public func saveWeights(_ path: String) throws(GraftError) {
        guard path.hasSuffix(".weights.h5") else {
            throw GraftError(.argument, "weights are saved to files that end in .weights.h5, not \(path)")
        }
        let weights = try KerasWeights.file(of: self).stream()
        try AtomicFile.write(to: path, byteCount: weights.byteCount) { (temporary) throws(GraftError) in
            try weights.write(to: temporary)
        }
    }
}
