package io.rlhf4j.workers.runtime;

import java.util.Optional;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/** The GPU that Spark gave a task. */
public final class AssignedGpu {
    /** What Spark's settings call the resource: {@code spark.task.resource.gpu.amount}. */
    private static final String RESOURCE = "gpu";

    private AssignedGpu() {}

    /** Its address, as the discovery script printed it; empty where the task was given none. */
    public static Optional<String> of(TaskContext task) {
        ResourceInformation gpus = task.resourcesJMap().get(RESOURCE);
        return gpus == null || gpus.addresses().length == 0 ? Optional.empty() : Optional.of(gpus.addresses()[0]);
    }
}
