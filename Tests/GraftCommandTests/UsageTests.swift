import Foundation
import Testing

/// Wrong arguments: exit code 64, what is wrong and how the verb is used, and nothing done.
@Suite struct UsageTests {
    struct WrongUsage: CustomTestStringConvertible {
        let arguments: [String]
        let message: String
        let usage: String
        var testDescription: String { "graft " + arguments.joined(separator: " ") }
    }

    private static let train =
        "Usage: graft train [<options>] [<images>]\n  See 'graft train --help' for more information.\n"
    private static let predict =
        "Usage: graft predict [<options>] <model> [<files> ...]\n  See 'graft predict --help' for more information.\n"
    private static let features =
        "Usage: graft features [<options>] <network> <images>\n  See 'graft features --help' for more information.\n"

    private static func wrong(_ verb: String, _ usage: String, _ options: String, _ message: String) -> WrongUsage {
        WrongUsage(arguments: [verb] + options.split(separator: " ").map(String.init), message: message, usage: usage)
    }

    static let cases: [WrongUsage] = [
        wrong(
            "train", train, "photos --epochs 0",
            "--epochs: got 0, needs at least 1, or --fine-tune-from to train the base at once"),
        wrong("train", train, "photos --epochs=-1", "--epochs: got -1, needs at least 1"),
        wrong("train", train, "photos --batch-size 0", "--batch-size: got 0, needs 1 to 65536"),
        wrong("train", train, "photos --learning-rate=-1", "--learning-rate: got -1.0, needs a number above 0"),
        wrong("train", train, "photos --learning-rate nan", "--learning-rate: got nan, needs a number above 0"),
        wrong(
            "train", train, "photos --validation-split 1",
            "--validation-split: got 1.0, needs 0 up to, not including, 1"),
        wrong("train", train, "photos --input-size 0", "--input-size: got 0, needs 1 to 4096 pixels"),
        wrong("train", train, "photos --output m.h5", "--output: got 'm.h5', needs a name that ends in .keras"),
        wrong("train", train, "photos --threads 0", "--threads: got 0, needs at least 1"),
        wrong(
            "train", train, "photos --base inception",
            "there is no base called “inception”; the nearest are xception, inception-v3, deit-ti16, and "
                + "`graft bases --all` lists all; the name of a saved model ends in .keras, .h5, .hdf5, .onnx or .zip"
        ),
        wrong(
            "train", train, "photos --head flaten",
            "--head: 'flaten' is not a layer: the forms are flatten, average-pool, max-pool, dense:UNITS[:ACTIVATION], "
                + "dropout:RATE, batch-normalization, standardize, centered"),
        wrong(
            "train", train, "photos --fine-tune-epochs 3",
            "--fine-tune-epochs, --fine-tune-learning-rate and --update-statistics need --fine-tune-from"),
        wrong(
            "train", train, "photos --fine-tune-from mixed5 --fine-tune-epochs 0",
            "--fine-tune-epochs: got 0, needs at least 1"),
        wrong(
            "train", train, "photos --views 4",
            "--views: there are none without --augment, such as --augment flip,rotate:20"),
        wrong("train", train, "photos --augment flip --views 0", "--views: got 0, needs 1 to 1000000"),
        wrong(
            "train", train, "photos --augment rotate:x",
            "--augment: 'rotate:x' is no part of an augmentation: 'x' must be a number from 0.0 to 180.0"),
        wrong(
            "train", train, "photos --cache-limit 0", "--cache-limit: got 0.0, needs 0.001 to 1000000 gigabytes"),
        wrong(
            "train", train, "photos --early-stopping=-1", "--early-stopping: got -1, needs 0 or more epochs"),
        wrong(
            "train", train, "photos --monitor f1",
            "--monitor: got 'f1', needs loss, accuracy, val_loss, val_accuracy"),
        wrong(
            "train", train, "photos --save-best best.h5",
            "--save-best: got 'best.h5', needs a name that ends in .keras"),
        WrongUsage(
            arguments: ["trian", "photos"],
            message:
                "there is no verb 'trian'; did you mean 'train'? The verbs are train, evaluate, predict, report, clean, audit, preview, split, "
                + "features, tokenize, summary, export, find-learning-rate, bases, fetch, sample, doctor, distill, search, serve, studio, help",
            usage: "Usage: graft <subcommand>\n  See 'graft --help' for more information.\n"),
        wrong("predict", predict, "m.keras a.jpg --input-size 0", "--input-size: got 0, needs 1 to 4096 pixels"),
        wrong("predict", predict, "m.keras a.jpg --top 0", "--top: got 0, needs at least 1"),
        wrong(
            "features", features, "vgg16 photos --output f.csv", "--output: got 'f.csv', needs a name that ends in .npy"
        ),
    ]

    @Test(arguments: cases)
    func wrongArgumentsAreExplained(_ wrong: WrongUsage) throws {
        let folder = try TemporaryFolder()
        let outcome = try GraftTool(folder: folder.url).run(wrong.arguments)
        #expect(outcome == .init(status: 64, output: "", errors: "Error: \(wrong.message)\n\(wrong.usage)"))
    }

    @Test(arguments: [
        (["train"], "Missing expected argument '<images>'"),
        (["predict", "m.keras"], "Missing expected argument '<files> ...'"),
        (["train", "photos", "--epochs", "many"], "The value 'many' is invalid for '--epochs <N>'"),
        (["train", "photos", "--optimizer", "adadelta"], "The value 'adadelta' is invalid for '--optimizer <name>'"),
        (["train", "photos", "--epoch", "3"], "Unknown option '--epoch'"),
        (["frobnicate"], "there is no verb 'frobnicate'; the verbs are train, evaluate, "),
    ])
    func whatTheParserRefusesEndsWith64(arguments: [String], beginning: String) throws {
        let folder = try TemporaryFolder()
        let outcome = try GraftTool(folder: folder.url).run(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("Error: \(beginning)"), "\(outcome.errors)")
        #expect(outcome.errors.contains("Usage: graft"))
    }

    @Test(arguments: ["train", "evaluate", "predict", "features", "summary", "bases", "fetch", "doctor"])
    func everyVerbExplainsItselfWithAnExample(verb: String) throws {
        let folder = try TemporaryFolder()
        let outcome = try GraftTool(folder: folder.url).run([verb, "--help"])
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.output.contains("Example"))
        #expect(outcome.output.contains("  graft \(verb)"))
        #expect(outcome.output.contains("--json"))
    }
}
