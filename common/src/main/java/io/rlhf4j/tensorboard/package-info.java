/** Scalars as TensorBoard reads them: event files, written without TensorFlow. */
package io.rlhf4j.tensorboard;
