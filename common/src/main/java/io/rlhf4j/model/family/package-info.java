/**
 * Model families: each maps a Hugging Face {@code config.json} on to a {@link io.rlhf4j.model.TransformerConfig}, and the
 * names of its tensors on to the parameters. To add a family, add a class and list it in {@link
 * io.rlhf4j.model.family.ModelFamilies}.
 */
package io.rlhf4j.model.family;
