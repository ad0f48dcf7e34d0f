package io.rlhf4j.workers.checkpoint;

import java.util.List;
import java.util.Map;

/**
 * What makes a checkpoint whole.
 *
 * @param format version of this layout
 * @param step the step after which the state was taken
 * @param epoch which start of the run wrote it; 0 where nobody counted
 * @param written when, ISO 8601
 * @param versions of the software that wrote it, by name
 * @param files all files but the manifest
 */
record CheckpointManifest(
        int format, long step, long epoch, String written, Map<String, String> versions, List<CheckpointFile> files) {
    /** The layout that this code writes; the only one it reads. */
    static final int FORMAT = 2;

    /** The manifest's file name. */
    static final String NAME = "manifest.json";

    /** The name of the file that holds what is not a tensor. */
    static final String STATE = "state.json";
}
