package io.rlhf4j.config;

import java.util.List;
import java.util.Optional;

/** One source of rows. */
public record SourceConfig(
        @Doc("Name in reports and in the columns of rollouts. The path's last part when absent.") Optional<String> name,
        @Doc(value = "File, folder, pattern or table name.", preset = Doc.REQUIRED) String path,
        @Doc(value = "How the rows are stored; `auto` goes by the ending of the path.", preset = "auto") Format format,
        @Doc(
                        value = "Share of this source in its steps: rows are taken in proportion to weight times rows.",
                        preset = "1",
                        range = "(0, inf)")
                double weight,
        @Doc("Steps that use the source. One step takes all of its rows; several divide them by `data.split`.")
                List<Step> steps,
        @Doc(
                        value =
                                "Share of rows, chosen by the stable hash, that is kept for evaluation and never trained on."
                                        + " With 1 the whole source is for evaluation.",
                        preset = "0",
                        range = "[0, 1]")
                double heldOut,
        @Doc(value = "Most rows taken; 0 takes all.", preset = "0", range = "[0, inf)") long limit,
        @Doc(
                        "A SELECT over the view `source`, the rows as they are stored; its result takes their place. With it nested"
                                + " or wide files become rows of the kinds known here.")
                Optional<String> sql,
        @Doc("Which column is what.") ColumnsConfig columns)
        implements Checked {
    @Override
    public List<Finding> findings() {
        return steps.size() == steps.stream().distinct().count()
                ? List.of()
                : List.of(new Finding("steps", "names a step twice"));
    }

    /** How rows are stored. */
    public enum Format {
        /** By the ending of the path. */
        AUTO,
        /** One JSON object a line, also compressed ({@code .gz}). */
        JSONL,
        /** Parquet files. */
        PARQUET,
        /** A table of Spark's catalog. */
        TABLE
    }

    /** The name given, or the last part of the path without its endings. */
    public String label() {
        return name.orElseGet(() -> {
            String last = path.substring(path.replaceAll("/+$", "").lastIndexOf('/') + 1);
            int dot = last.indexOf('.');
            return dot > 0 ? last.substring(0, dot) : last;
        });
    }
}
