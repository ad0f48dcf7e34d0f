package io.rlhf4j.driver.command;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.query.RunTables;
import io.rlhf4j.driver.spark.HadoopSettings;
import io.rlhf4j.driver.spark.SparkSessions;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructType;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rlhf4j sql}. */
@Command(
        name = "sql",
        description = {
            "Asks a run in SQL: the table `rollouts` has every sampled answer that is committed, `metrics` every line"
                    + " of metrics.jsonl, and text(response_ids) is an answer's text. Nothing is changed.",
            "Example: rlhf4j sql runs/my-run \"SELECT iteration, avg(score) FROM rollouts GROUP BY 1 ORDER BY 1\""
        },
        mixinStandardHelpOptions = true)
final class SqlCommand implements Callable<Integer> {
    private static final int CELL = 120;

    private final Terminal terminal;
    private final Interrupts interrupts;

    @Mixin
    private RunArgument run;

    @Parameters(index = "1", paramLabel = "QUERY", description = "In Spark's SQL.")
    private String query;

    @Option(names = "--json", description = "All rows of the answer, each a line of JSON, instead of a table.")
    private boolean json;

    @Option(
            names = "--rows",
            defaultValue = "100",
            paramLabel = "N",
            description = "Rows that the table shows. (${DEFAULT-VALUE})")
    private int rows;

    SqlCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        this.interrupts = interrupts;
    }

    @Override
    public Integer call() throws Exception {
        Configuration hadoop = HadoopSettings.ofProcess();
        RunConfig config = run.config(hadoop);
        try (SparkSession session = SparkSessions.forQueries(config)) {
            interrupts.onStop(() -> session.sparkContext().cancelAllJobs());
            interrupts.check();
            RunTables.register(session, run.folder(session.sparkContext().hadoopConfiguration()), config);
            print(session);
        }
        return 0;
    }

    private void print(SparkSession session) throws Exception {
        try {
            Dataset<Row> answer = session.sql(query);
            if (json) {
                answer.toJSON().toLocalIterator().forEachRemaining(terminal.out()::println);
            } else {
                printTable(answer);
            }
        } catch (Exception failed) {
            // Everything: Scala throws checked exceptions that no signature tells of.
            interrupts.check();
            throw explained(failed);
        }
    }

    private static Exception explained(Exception failed) {
        if (failed instanceof AnalysisException) {
            return new Rlhf4jException(
                    ErrorKind.CONFIGURATION, "the query cannot be answered: " + firstLines(failed), failed);
        }
        return failed instanceof SparkThrowable
                ? Rlhf4jException.data("the query failed: " + firstLines(failed), failed)
                : failed;
    }

    /** Without what Spark appends of its plan. */
    private static String firstLines(Exception failed) {
        return String.join(
                " ",
                String.valueOf(failed.getMessage())
                        .lines()
                        .takeWhile(line -> !line.isBlank() && !line.startsWith("=="))
                        .map(String::strip)
                        .toList());
    }

    private void printTable(Dataset<Row> answer) {
        String[] titles = answer.columns();
        if (titles.length == 0) {
            return;
        }
        // Two columns may have one name: they are told apart by numbers.
        String[] numbered = IntStream.range(0, titles.length)
                .mapToObj(column -> "column" + column)
                .toArray(String[]::new);
        DataType[] types = Arrays.stream(answer.schema().fields())
                .map(field -> field.dataType())
                .toArray(DataType[]::new);
        Column[] cells = IntStream.range(0, titles.length)
                .mapToObj(column -> cell(functions.col(numbered[column]), types[column]))
                .toArray(Column[]::new);
        List<Row> found = answer.toDF(numbered).select(cells).limit(rows + 1).collectAsList();
        TextTable table = new TextTable(titles);
        found.stream()
                .limit(rows)
                .forEach(row -> table.row(IntStream.range(0, titles.length)
                        .mapToObj(column -> shown(row.getString(column)))
                        .toArray()));
        terminal.out().print(table);
        if (found.size() > rows) {
            terminal.err().println("note: there are more than %d rows; --rows shows more, --json all".formatted(rows));
        }
    }

    private static Column cell(Column value, DataType type) {
        boolean nested = type instanceof ArrayType || type instanceof MapType || type instanceof StructType;
        return nested ? functions.to_json(value) : value.cast("string");
    }

    private static String shown(String cell) {
        String line = cell == null
                ? ""
                : cell.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t");
        return line.length() <= CELL ? line : line.substring(0, CELL - 1) + "…";
    }
}
