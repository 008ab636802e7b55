import Graft

// FineTuning PHOTOS WEIGHTS: first the head on the frozen base, then the base from `mixed5` upwards, gently. PHOTOS
// holds train/ and validation/, each with one folder a class.
guard CommandLine.arguments.count == 3 else { fatalError("usage: FineTuning PHOTOS WEIGHTS") }
let photos = try ImageFolder(at: CommandLine.arguments[1], rule: ImageRule(height: 150, width: 150))

let base = try InceptionV3(
    weights: .file(CommandLine.arguments[2]), includeTop: false, inputShape: [150, 150, 3])
base.freeze()
let features = try GlobalAveragePooling2D()(base.layer(named: "mixed7").output)
let model = try Model(inputs: base.input, outputs: Dense(1, activation: .sigmoid)(Dropout(0.2)(features)))
model.metadata = ModelMetadata(classNames: photos.classNames, image: photos.training.imageRule)

// history.csv and history.svg beside the model.
let recorder = HistoryRecorder(beside: "fine-tuned.keras")

// The head: what the base puts out is computed once for each picture.
recorder.begin("head")
try model.compile(optimizer: RMSprop(learningRate: 1e-3), loss: .binaryCrossentropy, metrics: [.accuracy])
try model.fit(photos.training, batchSize: 20, epochs: 5, validation: photos.validation, callbacks: [recorder])

// The base from mixed5 on, with a hundredth of the learning rate. What lies before stays frozen and is still computed
// once; normalizations keep the statistics that came with the weights.
try base.unfreeze(from: "mixed5")
recorder.begin("fine-tuning", event: "unfrozen from mixed5")
try model.compile(optimizer: RMSprop(learningRate: 1e-5), loss: .binaryCrossentropy, metrics: [.accuracy])
try model.fit(photos.training, batchSize: 20, epochs: 5, validation: photos.validation, callbacks: [recorder])

try model.save("fine-tuned.keras")
print(CurveVerdict(of: recorder.curve))
