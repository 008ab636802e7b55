import Foundation
import GraftGraph
import Testing

@testable import GraftImages

@Suite struct AugmentationTextTests {
    @Test func thePublishedFormSetsWhatItSays() throws {
        let recipe = try Augmentation("flip,rotate:40,shift:0.2,shear:0.2,zoom:0.2,crop:0.3:1")
        var wanted = Augmentation()
        (wanted.horizontalFlip, wanted.rotation, wanted.shear) = (0.5, 40, 0.2)
        (wanted.horizontalShift, wanted.verticalShift) = (0.2, 0.2)
        (wanted.zoom, wanted.cropArea) = (0.8...1.2, 0.3...1)
        #expect(recipe == wanted)
    }

    @Test func theRecipeOfTheTutorialHasAName() throws {
        let recipe = try Augmentation("imagedatagenerator")
        #expect(recipe == .imageDataGenerator)
        #expect(try recipe == Augmentation("flip,rotate:40,shift:0.2,shear:0.2,zoom:0.2,fill:nearest"))
        let changed = try Augmentation("imagedatagenerator,rotate:10,fill:reflect")
        #expect(changed.rotation == 10 && changed.fill == .reflect && changed.shear == 0.2)
    }

    @Test(arguments: [
        "none", "flip:0.5", "vflip:0.25", "rotate:40", "shift:0.2:0.1", "shift:0:0.5", "shear:0.2", "zoom:0.8:1.2",
        "crop:0.3:1", "crop:0.08:0.9:0.5:2", "brightness:0.2", "contrast:0.2", "saturation:0.3", "hue:0.05",
        "grayscale:0.1", "erase:0.25", "fill:constant:128", "fill:constant:0", "fill:wrap", "fill:reflect",
        "flip:0.3,vflip:0.1,rotate:12.5,shift:0.1:0.2,shear:7,zoom:0.5:2,crop:0.2:0.7:0.9:1.1,brightness:0.1,contrast:0.2,"
            + "saturation:0.3,hue:0.4,grayscale:0.5,erase:0.6,fill:reflect",
    ])
    func whatIsPrintedIsReadAsTheSame(_ text: String) throws {
        let recipe = try Augmentation(text)
        #expect(recipe.description == text)
        #expect(try Augmentation(recipe.description) == recipe)
        #expect(try JSONDecoder().decode([Augmentation].self, from: JSONEncoder().encode([recipe])) == [recipe])
    }

    @Test func numbersThatHaveNoShortFormArePrintedWhole() throws {
        var recipe = Augmentation()
        (recipe.rotation, recipe.cropArea) = (1.0 / 3, (0.1 + 0.2)...0.7)
        #expect(try Augmentation(recipe.description) == recipe)
    }

    @Test func shortFormsMeanTheirDefaults() throws {
        #expect(try Augmentation("flip") == Augmentation("flip:0.5"))
        #expect(try Augmentation("vflip") == Augmentation("vflip:0.5"))
        #expect(try Augmentation("shift:0.1") == Augmentation("shift:0.1:0.1"))
        #expect(try Augmentation("zoom:0.25") == Augmentation("zoom:0.75:1.25"))
        #expect(try Augmentation("crop:0.3") == Augmentation("crop:0.3:1"))
        #expect(try Augmentation(" flip , rotate:40") == Augmentation("flip,rotate:40"))
        #expect(try Augmentation("none").isIdentity && Augmentation("fill:wrap").isIdentity)
        #expect(try !Augmentation("flip").isIdentity)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let text: String
        let message: String
        init(_ text: String, _ message: String) { (self.text, self.message) = (text, message) }
        var testDescription: String { text }
    }

    @Test(arguments: [
        Wrong("", "'' is no part of an augmentation: the parts are \(Augmentation.forms)"),
        Wrong("flip,", "'' is no part of an augmentation: the parts are \(Augmentation.forms)"),
        Wrong("spin:4", "'spin:4' is no part of an augmentation: the parts are \(Augmentation.forms)"),
        Wrong("flip:2", "'flip:2' is no part of an augmentation: '2' must be a number from 0.0 to 1.0"),
        Wrong("flip,flip:0.1", "'flip:0.1' is no part of an augmentation: it is there twice"),
        Wrong("rotate", "'rotate' is no part of an augmentation: it has 0 numbers and needs 1"),
        Wrong("rotate:", "'rotate:' is no part of an augmentation: '' must be a number from 0.0 to 180.0"),
        Wrong("rotate:x", "'rotate:x' is no part of an augmentation: 'x' must be a number from 0.0 to 180.0"),
        Wrong("rotate:-5", "'rotate:-5' is no part of an augmentation: '-5' must be a number from 0.0 to 180.0"),
        Wrong("rotate:nan", "'rotate:nan' is no part of an augmentation: 'nan' must be a number from 0.0 to 180.0"),
        Wrong("shift:1:2:3", "'shift:1:2:3' is no part of an augmentation: it has 3 numbers and needs 1 to 2"),
        Wrong("shear:90", "'shear:90' is no part of an augmentation: '90' must be a number from 0.0 to 80.0"),
        Wrong("zoom:1", "'zoom:1' is no part of an augmentation: '1' must be a number from 0.0 to 0.99"),
        Wrong("zoom:2:0.5", "'zoom:2:0.5' is no part of an augmentation: 2.0 is more than 0.5"),
        Wrong("crop", "'crop' is no part of an augmentation: it has 0 numbers and needs 1 to 4"),
        Wrong("crop:0", "'crop:0' is no part of an augmentation: '0' must be a number from 0.01 to 1.0"),
        Wrong("crop:0.9:0.3", "'crop:0.9:0.3' is no part of an augmentation: 0.9 is more than 0.3"),
        Wrong(
            "crop:0.3:1:0.5", "'crop:0.3:1:0.5' is no part of an augmentation: an aspect has two numbers, from and to"),
        Wrong(
            "crop:0.3:1:0.5:20",
            "'crop:0.3:1:0.5:20' is no part of an augmentation: '20' must be a number from 0.1 to 10.0"),
        Wrong("hue:0.7", "'hue:0.7' is no part of an augmentation: '0.7' must be a number from 0.0 to 0.5"),
        Wrong("grayscale", "'grayscale' is no part of an augmentation: it has 0 numbers and needs 1"),
        Wrong(
            "fill:mirror",
            "'fill:mirror' is no part of an augmentation: the modes are nearest, reflect, constant, wrap"),
        Wrong("fill:wrap:3", "'fill:wrap:3' is no part of an augmentation: only fill:constant takes a value"),
        Wrong(
            "fill:constant:300",
            "'fill:constant:300' is no part of an augmentation: '300' must be a number from 0.0 to 255.0"),
        Wrong("flip,none", "'none' is no part of an augmentation: it must be the only part"),
        Wrong(
            "flip,imagedatagenerator",
            "'imagedatagenerator' is no part of an augmentation: it must be the first part, as it sets many others"),
        Wrong(
            "imagedatagenerator:2", "'imagedatagenerator:2' is no part of an augmentation: it has 1 numbers and needs 0"
        ),
    ])
    func whatIsWrongIsNamed(_ wrong: Wrong) {
        let error = #expect(throws: GraftError.self) { try Augmentation(wrong.text) }
        #expect(error?.code == .argument)
        #expect(error?.message == wrong.message)
    }

    @Test func parametersOutOfTheirRangeAreNamed() {
        var recipe = Augmentation()
        recipe.hue = .nan
        let error = #expect(throws: GraftError.self) { try recipe.validate() }
        #expect(error?.message == "the augmentation's hue is nan; it must lie in 0.0…0.5")
        #expect(throws: (any Error).self) {
            try JSONDecoder().decode([Augmentation].self, from: Data(#"["rotate:900"]"#.utf8))
        }
    }
}
