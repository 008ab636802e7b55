import GraftGraph
import Testing

@testable import GraftModel

@Suite struct ConstraintTests {
    /// As `keras.constraints.serialize` of Keras 3.15.1 gives them.
    static let serialized: [(Constraint, String, Configuration)] = [
        (.maxNorm(3, axes: [0, 1]), "MaxNorm", ["max_value": 3.0, "axis": [0, 1]]),
        (.nonNegative, "NonNeg", [:]),
        (.unitNorm(), "UnitNorm", ["axis": 0]),
        (
            .minMaxNorm(0.5, 2, rate: 0.9, axes: [1]), "MinMaxNorm",
            ["min_value": 0.5, "max_value": 2.0, "rate": 0.9, "axis": 1]
        ),
    ]

    @Test(arguments: serialized)
    func configurationIsKerasAndComesBack(_ constraint: Constraint, className: String, arguments: Configuration) throws
    {
        let configuration: Configuration = [
            "module": "keras.constraints", "class_name": .string(className), "config": arguments,
            "registered_name": nil,
        ]
        #expect(constraint.configuration == configuration)
        #expect(try Constraint(configuration: configuration) == constraint)
    }

    @Test func namesMeanKerasDefaults() throws {
        #expect(try Constraint(configuration: "max_norm") == .maxNorm(2))
        #expect(try Constraint(configuration: "non_neg") == .nonNegative)
        #expect(try Constraint(configuration: "min_max_norm") == .minMaxNorm())
    }

    @Test func whatDoesNotFitThrows() throws {
        #expect { try Sequential([Dense(1, biasConstraint: .unitNorm(axes: [1]))], inputShape: [2]) } throws: {
            ($0 as? GraftError)?.message.contains(
                "the constraint of bias has the axes [1], which the shape (1,) does not")
                == true
        }
        #expect { try Sequential([Dense(1, kernelConstraint: .minMaxNorm(2, 1))], inputShape: [2]) } throws: {
            ($0 as? GraftError)?.message.contains("none may be negative, nor the largest below the least") == true
        }
    }
}
