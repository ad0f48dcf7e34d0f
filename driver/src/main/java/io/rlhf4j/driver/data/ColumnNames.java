package io.rlhf4j.driver.data;

import io.rlhf4j.config.ColumnsConfig;
import java.util.Optional;
import java.util.stream.Stream;

/** Which columns a row is read from: those of the mapping; where it says nothing, those that have the very names. */
final class ColumnNames {
    private final ColumnsConfig columns;
    private final boolean free;

    ColumnNames(ColumnsConfig columns) {
        this.columns = columns;
        this.free = Stream.of(
                        columns.prompt(),
                        columns.response(),
                        columns.chosen(),
                        columns.rejected(),
                        columns.responses(),
                        columns.label(),
                        columns.messages(),
                        columns.text(),
                        columns.promptTemplate())
                .allMatch(Optional::isEmpty);
    }

    Optional<String> prompt(RowFields row) {
        return name(columns.prompt(), "prompt", row);
    }

    Optional<String> response(RowFields row) {
        return name(columns.response(), "response", row);
    }

    Optional<String> chosen(RowFields row) {
        return name(columns.chosen(), "chosen", row);
    }

    Optional<String> rejected(RowFields row) {
        return name(columns.rejected(), "rejected", row);
    }

    Optional<String> margin(RowFields row) {
        return name(columns.margin(), "margin", row);
    }

    Optional<String> responses(RowFields row) {
        return name(columns.responses(), "responses", row);
    }

    Optional<String> label(RowFields row) {
        return name(columns.label(), "label", row);
    }

    Optional<String> messages(RowFields row) {
        return name(columns.messages(), "messages", row);
    }

    Optional<String> text(RowFields row) {
        return name(columns.text(), "text", row);
    }

    Optional<String> reference(RowFields row) {
        return columns.reference().or(() -> Optional.of("reference").filter(row::has));
    }

    private Optional<String> name(Optional<String> mapped, String own, RowFields row) {
        return mapped.or(() -> Optional.of(own).filter(name -> free && row.has(name)));
    }
}
