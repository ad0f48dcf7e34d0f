/**
 * One run, one writer: whoever starts a run takes its lease, beats as long as it works, and gives it back; what others
 * build on is written only by the one who took it last.
 */
package io.rlhf4j.run.lease;
