import Foundation
import Testing

/// `SOURCE_DATE_EPOCH`: equal runs are equal files.
@Suite struct ReproducibleModelTests {
    @Test func equalRunsAreEqualFiles() throws {
        let classifier = try SavedClassifier.shared.get()
        let files = try (0..<2).map { number in
            let outcome = try classifier.tool.run(
                ["train", "photos", "--epochs", "1", "--output", "run-\(number).keras"] + SavedClassifier.network,
                environment: ["SOURCE_DATE_EPOCH": "1614834367"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try Data(contentsOf: classifier.folder.url.appending(path: "run-\(number).keras"))
        }
        #expect(files[0] == files[1])
    }

    @Test func aDateThatIsNoneIsRefusedBeforeAnythingIsTrained() throws {
        let classifier = try SavedClassifier.shared.get()
        let outcome = try classifier.tool.run(
            ["train", "photos", "--epochs", "1", "--output", "undated.keras"] + SavedClassifier.network,
            environment: ["SOURCE_DATE_EPOCH": "today"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("SOURCE_DATE_EPOCH is \"today\"; it needs the seconds since 1970"))
        #expect(!outcome.output.contains("epoch 1/1"))
    }
}
