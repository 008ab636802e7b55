/// A number of channels near `width` that `divisor` divides, as MobileNets and EfficientNets have them: the nearest one, or
/// the next where that would take more than a tenth away, and `keepsNineTenths`.
///
/// Source: tensorflow/models, research/slim/nets/mobilenet, `make_divisible`; Keras rounds alike.
func dividedWidth(_ width: Double, by divisor: Int = 8, keepsNineTenths: Bool = true) -> Int {
    let nearest = max(divisor, Int(width + Double(divisor) / 2) / divisor * divisor)
    return keepsNineTenths && Double(nearest) < 0.9 * width ? nearest + divisor : nearest
}
