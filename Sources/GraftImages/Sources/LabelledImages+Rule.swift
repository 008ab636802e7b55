import GraftData
import GraftGraph

extension LabelledImages {
    /// The same images, decoded by another rule.
    package func decoded(by rule: ImageRule) throws(GraftError) -> LabelledImages {
        func again(_ images: ImageDataset) throws(GraftError) -> ImageDataset {
            try images.subset(Array(0..<images.count), rule: rule)
        }
        return LabelledImages(
            self, training: try again(training),
            validation: try validation.map { (images) throws(GraftError) in try again(images) },
            test: try test.map { (images) throws(GraftError) in try again(images) })
    }

    /// What is to be learned of other images of the same kind.
    package init(
        _ images: LabelledImages, training: ImageDataset, validation: ImageDataset?, test: ImageDataset?
    ) {
        (task, classNames) = (images.task, images.classNames)
        (self.training, self.validation, self.test) = (training, validation, test)
        (validationSource, problems, isDivided) = (images.validationSource, images.problems, images.isDivided)
    }
}
