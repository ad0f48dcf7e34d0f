package io.rlhf4j.model;

/** What a training pass keeps of its forward pass; the rest is computed again for the gradients, with the same bits. */
public enum ActivationCheckpointing {
    /** Everything that a gradient needs. */
    OFF,
    /** Everything but the wide results within the feed-forward layers: about half, for one product of six more. */
    SELECTIVE,
    /** The inputs of blocks (Chen et al. 2016): a few hundredths, for one forward pass more. */
    BLOCK
}
