package io.rlhf4j.driver.command;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Fence;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import picocli.CommandLine.Parameters;

/** The run that a command is about. */
final class RunArgument {
    @Parameters(
            index = "0",
            paramLabel = "RUN",
            description = "The run's folder, such as runs/my-run or hdfs:///rlhf/my-run.")
    private String run;

    /** Its folder, which need not be there yet. */
    RunFolder folder(Configuration hadoop) {
        return new RunFolder(new Path(run), hadoop);
    }

    /**
     * What the run was told when it was last started.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where there is no run
     */
    RunConfig config(Configuration hadoop) throws IOException {
        return folder(hadoop)
                .readConfig()
                .orElseThrow(() -> Rlhf4jException.configuration(
                        "there is no run in '%s': it has no config.yaml; give the folder of a run".formatted(run)));
    }

    /** Its folder, written by whom {@code fence} lets pass. */
    RunFolder folder(Configuration hadoop, Fence fence) {
        return new RunFolder(new Path(run), hadoop, fence);
    }
}
