package io.rlhf4j.workers.checkpoint;

import io.rlhf4j.format.NamedTensor;
import java.util.List;
import java.util.Map;

/**
 * What one rank has to save.
 *
 * @param step after which it is the state
 * @param names of the rank's files
 * @param tensors by the name of the group, which becomes a file: {@code actor}, {@code critic}
 */
public record RankState(long step, RankFiles names, Map<String, List<NamedTensor>> tensors) {}
