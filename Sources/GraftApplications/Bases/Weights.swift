/// Where the weights of a base come from.
public enum Weights: Hashable, Sendable {
    /// Random numbers, as the layers' initializers draw them.
    case none
    /// A weight file on this machine, in the layout that Keras publishes (`.h5`), in that of Keras 3's `save_weights`
    /// (`.weights.h5`) or, for the bases that ``Base/fileDescription`` says it of, in PyTorch's (`.safetensors`). What it is,
    /// is seen from its contents.
    case file(String)
    /// The weights that are part of Graft: those of ``Base/pocket``; no other base has any.
    case builtIn
    /// The published ImageNet weights: from this user's cache, from `~/.keras/models`, or downloaded.
    case imagenet
}
