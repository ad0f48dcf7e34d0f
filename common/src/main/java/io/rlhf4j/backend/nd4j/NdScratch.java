package io.rlhf4j.backend.nd4j;

import java.util.function.Supplier;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.AllocationPolicy;
import org.nd4j.linalg.api.memory.enums.LearningPolicy;
import org.nd4j.linalg.api.memory.enums.ResetPolicy;
import org.nd4j.linalg.api.memory.enums.SpillPolicy;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Where the temporaries of operations lie: an ND4J workspace for each thread, that grows to what the largest operation
 * asked for and is used again by the next. Left to the garbage collector they would pile up, since the collector sees
 * only their small Java shells.
 */
enum NdScratch {
    /** Temporaries of a whole operation. */
    OPERATION,
    /** Temporaries of a part of an operation, a sequence or a chunk of rows, given back before the next part. */
    PART;

    private static final WorkspaceConfiguration GROWING = WorkspaceConfiguration.builder()
            .initialSize(0)
            .policyAllocation(AllocationPolicy.STRICT)
            .policyLearning(LearningPolicy.FIRST_LOOP)
            .policySpill(SpillPolicy.REALLOCATE)
            .policyReset(ResetPolicy.BLOCK_LEFT)
            .build();

    /** Runs {@code work}; no INDArray that it makes may be used afterwards. */
    void run(Runnable work) {
        get(() -> {
            work.run();
            return null;
        });
    }

    /** As {@link #run}, for a result that is no INDArray. */
    <T> T get(Supplier<T> work) {
        MemoryWorkspace workspace = Nd4j.getWorkspaceManager().getAndActivateWorkspace(GROWING, "rlhf4j " + name());
        try {
            return work.get();
        } finally {
            workspace.close();
        }
    }
}
