package io.rlhf4j.driver.data;

import io.rlhf4j.data.PromptRow;
import java.util.ArrayList;
import java.util.List;

/** The prompts of iterations, read for several of them at once: a job that looks for a few rows reads as much as one for many. */
public final class PromptsAhead {
    /** Rows that are held in the driver. */
    private static final int ROWS = 4096;

    private final PreparedData data;
    private final RowOrder order;
    private final int count;
    private long first;
    private List<PromptRow> rows = List.of();

    /**
     * @param order in which the run sees its prompts
     * @param count prompts of an iteration
     */
    PromptsAhead(PreparedData data, RowOrder order, int count) {
        this.data = data;
        this.order = order;
        this.count = count;
    }

    /** The prompts of an iteration. */
    public List<PromptRow> of(long iteration) {
        long at = (iteration - first) * count;
        if (at < 0 || at + count > rows.size()) {
            int iterations = Math.max(1, ROWS / count);
            rows = data.promptRows(order.take(iteration * count, iterations * count));
            first = iteration;
            at = 0;
        }
        return new ArrayList<>(rows.subList((int) at, (int) at + count));
    }
}
