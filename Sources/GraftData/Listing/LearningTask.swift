/// What is to be learned of examples.
public enum LearningTask: String, Sendable, Hashable, CaseIterable {
    /// Which one of several classes an example is of. Targets are class numbers.
    case classes
    /// Which of several labels an example has: none, one or more. Targets are 0 or 1 for each.
    case labels
    /// One number or several, such as an age or the place of a point. Targets are those numbers.
    case regression
}
