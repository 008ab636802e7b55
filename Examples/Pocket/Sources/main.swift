import Foundation
import Graft

// Makes the built-in base from the start: teaches a small network what EfficientNet-Lite0 knows, on images without labels.
//
//   Pocket train FOLDER… lite0=FILE.safetensors output=pocket.keras [start=MODEL.keras] [design=plain] [epochs=70] [views=10]
//                        [size=96] [teacher=128] [batch=64] [rate=0.002] [decay=0.05] [crop=0.25] [threads=1] [every=1]
//                        [checkpoint=FILE]
//   Pocket quantize MODEL.keras output=pocket.safetensors
//
// The weights in Sources/CPocket came from two runs over images/cats-and-dogs/train and images/caltech101-small, the second of
// which went on from the first, and from `quantize`; training.log has their commands and what they printed. `every=N` takes each
// N-th image, for a trial.
let arguments = try Arguments(CommandLine.arguments.dropFirst())
switch arguments.verb {
case "train": try PocketTraining(arguments).run()
case "quantize":
    let model = try Model.load(arguments.words.first ?? "")
    try Quantization.write(model, to: arguments.text("output", "pocket.safetensors"))
default:
    print("usage: Pocket train FOLDER… lite0=FILE output=MODEL.keras | Pocket quantize MODEL.keras output=FILE")
    exit(64)
}
