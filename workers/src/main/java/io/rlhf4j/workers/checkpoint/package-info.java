/**
 * Checkpoints on any Hadoop file system: safetensors shards and a JSON state in a folder per step, made whole by a
 * manifest that is written last. Nothing is renamed.
 */
package io.rlhf4j.workers.checkpoint;
