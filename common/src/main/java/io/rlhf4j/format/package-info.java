/**
 * Files of named tensors: safetensors (read and written, one file or shards with an index) and PyTorch's zip of a state
 * dict (read only).
 *
 * <p>Weights are data. Nothing in a file is executed, and no length in it is believed before it was compared with the
 * file's real size; what does not fit is an {@link io.rlhf4j.error.Rlhf4jException} that names the file and the tensor.
 */
package io.rlhf4j.format;
