extension Dataset {
    /// How many numbers its functions take: each view of each example has one.
    package var numberCount: Int { count * views }

    /// The number of an example's view.
    package func number(ofExample example: Int, view: Int) -> Int { view * count + example }

    /// The example whose view has this number; the dataset must not be empty.
    package func example(ofNumber number: Int) -> Int { number % count }
}
