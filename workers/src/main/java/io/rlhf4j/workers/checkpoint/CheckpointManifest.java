package io.rlhf4j.workers.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.format.HashingOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What makes a checkpoint whole.
 *
 * @param format version of this layout
 * @param step the step after which the state was taken
 * @param epoch which start of the run wrote it; 0 where nobody counted
 * @param written when, ISO 8601
 * @param versions of the software that wrote it, by name
 * @param files all files but the manifest
 * @param seal SHA-256 of all else that it says, hexadecimal: so that damage to the manifest itself shows
 */
record CheckpointManifest(
        int format,
        long step,
        long epoch,
        String written,
        Map<String, String> versions,
        List<CheckpointFile> files,
        String seal) {
    /** The layout that this code writes; the only one it reads. */
    static final int FORMAT = 2;

    /** The manifest's file name. */
    static final String NAME = "manifest.json";

    /** The name of the file that holds what is not a tensor. */
    static final String STATE = "state.json";

    CheckpointManifest {
        versions = new TreeMap<>(versions);
        files = List.copyOf(files);
    }

    /** This one with its seal. */
    CheckpointManifest sealed(ObjectMapper json) {
        CheckpointManifest open = new CheckpointManifest(format, step, epoch, written, versions, files, "");
        HashingOutputStream hash = new HashingOutputStream(OutputStream.nullOutputStream());
        try (hash) {
            hash.write(json.writeValueAsBytes(open));
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return new CheckpointManifest(format, step, epoch, written, versions, files, hash.sha256());
    }

    /** Whether it is as it was sealed. */
    boolean isWhole(ObjectMapper json) {
        return sealed(json).seal.equals(seal);
    }
}
