import Foundation
import Graft

// TrainingSteps MODEL INPUTS TARGETS LAYER RATE OUTPUT [whole|kept [PRECISION]]: fine-tunes a model that Keras wrote on arrays that
// numpy wrote, one batch a step, and writes what came of it: the losses of all steps and the model after the first one.
//
//   MODEL    a .keras file with one input and one sigmoid output
//   INPUTS   a .npy array (steps, batch, …), TARGETS one of (steps, batch)
//   LAYER    the model trains from here on; normalizations keep their statistics
//   RATE     the learning rate of RMSprop
//   OUTPUT   a folder that exists: losses.json and after-one-step.keras are written there
//
// With a seventh word the steps alone are done, for their time: `whole` ones begin at the inputs, `kept` ones at what the
// frozen part of the network put out before. PRECISION is float32, or bfloat16 as mixed precision has it.
let arguments = CommandLine.arguments
let isTimed = [8, 9].contains(arguments.count) && ["whole", "kept"].contains(arguments[7])
let precisions = ["float32": Precision.float32, "bfloat16": .bfloat16]
guard arguments.count == 7 || isTimed, let rate = Float(arguments[5]),
    let precision = precisions[arguments.count == 9 ? arguments[8] : "float32"]
else {
    print("usage: TrainingSteps MODEL.keras INPUTS.npy TARGETS.npy LAYER RATE OUTPUT [whole|kept [float32|bfloat16]]")
    exit(64)
}
let options = TrainingOptions(
    features: isTimed && arguments[7] == "kept" ? .temporary : .off, precision: precision)

let model = try Model.load(arguments[1])
model.freeze()
try model.unfreeze(from: arguments[4])
model.setStatistics(.frozen)

let inputs = try NumpyFile.tensor(contentsOf: arguments[2])
let targets = try NumpyFile.tensor(contentsOf: arguments[3])
let (steps, batchSize) = (inputs.shape[0], inputs.shape[1])

/// The examples of the first steps.
func examples(ofSteps count: Int) throws -> ArrayDataset {
    let dimensions = [count * batchSize] + inputs.shape.dimensions.dropFirst(2)
    return try ArrayDataset(
        inputs: Tensor(Array(inputs.scalars.prefix(dimensions.reduce(1, *))), shape: Shape(dimensions)),
        targets: Tensor(Array(targets.scalars.prefix(count * batchSize)), shape: [count * batchSize]))
}

/// Notes the loss and the wall time of each step.
final class StepRecorder: Callback {
    var losses: [Double] = []
    var seconds: [Double] = []
    private var last = ContinuousClock.now

    func handle(_ event: TrainingEvent, in run: TrainingRun) {
        if case .epochBegan = event { last = .now }
        guard case .step(let report) = event else { return }
        let duration = (ContinuousClock.now - last).components
        losses.append(report.loss)
        seconds.append(Double(duration.seconds) + Double(duration.attoseconds) * 1e-18)
        last = .now
    }
}

func train(_ examples: ArrayDataset, _ recorder: StepRecorder) throws {
    try model.compile(optimizer: RMSprop(learningRate: .constant(rate)), loss: .binaryCrossentropy)
    try model.fit(examples, batchSize: batchSize, shuffle: false, callbacks: [recorder], options: options)
}

if !isTimed {
    let start = model.weights
    try train(examples(ofSteps: 1), StepRecorder())
    try model.save(arguments[6] + "/after-one-step.keras")
    try model.setWeights(start)
}
let recorder = StepRecorder()
try train(examples(ofSteps: steps), recorder)
let result = try JSONSerialization.data(withJSONObject: ["losses": recorder.losses, "seconds": recorder.seconds])
try result.write(to: URL(fileURLWithPath: arguments[6] + "/losses.json"))
