import Foundation
import GraftModel
import Testing

@Suite struct ConfigurationTests {
    @Test func jsonValuesComeBackEqual() throws {
        let value: Configuration = [
            "null": nil, "flag": true, "whole": 7, "fraction": 0.25, "text": "a\"b", "list": [1, [2.5], []],
            "object": ["inner": false],
        ]
        let data = try JSONEncoder().encode(value)
        #expect(try JSONDecoder().decode(Configuration.self, from: data) == value)
    }

    @Test func wholeNumbersAndFractionsStayApart() {
        #expect(Configuration.int(1) != .double(1))
        #expect(Configuration.int(1).number == 1 && Configuration.double(1).integer == nil)
    }

    @Test func accessorsAnswerOnlyForTheirKind() {
        let object: Configuration = ["a": [1, "x"]]
        #expect(object["a"]?.elements == [1, "x"] && object["b"] == nil && object.members?.count == 1)
        #expect(object.text == nil && object.flag == nil && object.number == nil && object.elements == nil)
        #expect(Configuration.null.isNull && Configuration.bool(true).flag == true)
    }

    @Test func initializersComeBackEqual() throws {
        let all: [Initializer] = [
            .zeros, .ones, .constant(0.5), .glorotUniform, .glorotNormal(seed: 3), .heUniform, .heNormal,
            .lecunUniform, .lecunNormal(seed: 0), .randomNormal(mean: 1, standardDeviation: 2, seed: 4),
            .randomUniform(minimum: -1, maximum: 2), .truncatedNormal(),
            .varianceScaling(scale: 2, mode: .fanAverage, distribution: .untruncatedNormal, seed: 1),
        ]
        for initializer in all { #expect(try Initializer(configuration: initializer.configuration) == initializer) }
        #expect(try Initializer(configuration: "he_normal") == .heNormal)
    }

    @Test func layersComeBackWithTheirArguments() throws {
        let layers: [Layer] = [
            Rescaling(scale: [1, 2.5], offset: [0.5, 1], name: "r"), Rescaling(2), Activation(.geluTanh),
            Normalization(axes: [1, 3]), Normalization(axes: [], mean: 1, variance: .channels([2])),
            ZeroPadding2D(padding: Size2D(2, 3)), Concatenate(axis: 2), GlobalMaxPooling2D(keepDims: true),
            Dropout(0.25), InputLayer(shape: [2, 3], name: "in"),
        ]
        for layer in layers {
            let again = try LayerRegistry.standard.layer(type(of: layer).className, .object(layer.configuration))
            #expect(again.configuration == layer.configuration)
        }
    }

    @Test func registryTakesLayersOfUsers() throws {
        var registry = LayerRegistry.standard
        registry.register("Double") { (reader) throws(GraftError) in
            try Rescaling(reader.number("by"), name: reader.name)
        }
        let layer = try registry.layer("Double", ["name": "d", "by": 2, "trainable": false])
        #expect(layer is Rescaling && layer.name == "d" && !layer.trainable)
    }
}
