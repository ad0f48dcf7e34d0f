package io.rlhf4j.driver.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourceReaderTest {
    private static SparkSession session;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        session = LocalSpark.start(2);
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void linesKnowTheirNumberInTheirFileWhateverIsBroken() throws IOException {
        Files.writeString(folder.resolve("rows.jsonl"), "{\"a\": 1}\n\n{broken\r\n{\"a\": 3}\n");
        assertThat(read("path: " + folder.resolve("rows.jsonl")))
                .containsExactlyInAnyOrder(
                        new RawRow("rows.jsonl:1", "{\"a\": 1}"),
                        new RawRow("rows.jsonl:3", "{broken"),
                        new RawRow("rows.jsonl:4", "{\"a\": 3}"));
    }

    @Test
    void aFolderIsAllItsFilesAlsoCompressedOnes() throws IOException {
        Files.createDirectories(folder.resolve("b/c"));
        Files.writeString(folder.resolve("b/c/x.jsonl"), "{\"a\": 1}\n");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(folder.resolve("b/y.jsonl.gz")))) {
            out.write("{\"a\": \"ü\"}\n{\"a\": 3}\n".getBytes(StandardCharsets.UTF_8));
        }
        Files.writeString(folder.resolve("b/_SUCCESS"), "");
        assertThat(read("path: " + folder.resolve("b")))
                .containsExactlyInAnyOrder(
                        new RawRow("c/x.jsonl:1", "{\"a\": 1}"),
                        new RawRow("y.jsonl.gz:1", "{\"a\": \"ü\"}"),
                        new RawRow("y.jsonl.gz:2", "{\"a\": 3}"));
    }

    @Test
    void parquetFilesAndTablesAreRowsToo() {
        session.range(3)
                .toDF("n")
                .repartition(1)
                .write()
                .parquet(folder.resolve("p").toString());
        List<RawRow> rows = read("path: " + folder.resolve("p"));
        assertThat(rows).extracting(RawRow::json).containsExactlyInAnyOrder("{\"n\":0}", "{\"n\":1}", "{\"n\":2}");
        assertThat(rows)
                .extracting(row -> row.location().replaceAll(".*:", ""))
                .containsExactlyInAnyOrder("1", "2", "3");
        session.range(2).toDF("n").createOrReplaceTempView("numbers");
        assertThat(read("{path: numbers, format: table}"))
                .extracting(RawRow::json)
                .containsExactlyInAnyOrder("{\"n\":0}", "{\"n\":1}");
    }

    @Test
    void aSelectMakesPairsOfNestedRows() throws IOException {
        Files.writeString(
                folder.resolve("rows.jsonl"),
                """
                {"question": "q", "small": {"ok": false, "text": "wrong"}, "large": {"ok": true, "text": "right"}}
                no json
                """);
        List<RawRow> rows = read(
                """
                path: %s
                sql: >
                  WITH all AS (SELECT question, explode(array(small, large)) AS s FROM source)
                  SELECT a.question, a.s.text AS chosen, b.s.text AS rejected
                  FROM all a JOIN all b ON a.question = b.question WHERE a.s.ok AND NOT b.s.ok
                """
                        .formatted(folder.resolve("rows.jsonl")));
        assertThat(rows)
                .extracting(RawRow::json)
                .containsExactlyInAnyOrder(
                        "{\"question\":\"q\",\"chosen\":\"right\",\"rejected\":\"wrong\"}", "no json");
    }

    @Test
    void aSelectThatSparkRefusesIsAnErrorOfTheConfiguration() throws IOException {
        Files.writeString(folder.resolve("rows.jsonl"), "{\"a\": 1}\n");
        String path = "path: %s\nname: mine\nsql: ".formatted(folder.resolve("rows.jsonl"));
        for (String sql : List.of("SELECT b FROM source", "SELEKT a FROM source")) {
            assertThatThrownBy(() -> read(path + sql)).isInstanceOfSatisfying(Rlhf4jException.class, thrown -> {
                assertThat(thrown.kind()).isEqualTo(ErrorKind.CONFIGURATION);
                assertThat(thrown).hasMessageContaining("the sql of source 'mine'");
            });
        }
    }

    @Test
    void nothingAtThePathIsSaid() {
        assertThatThrownBy(() -> read("path: " + folder.resolve("absent.jsonl")))
                .hasMessageContaining("absent.jsonl' is no file, folder or table");
        // Names that are no names of tables, of files beside the process.
        for (String path : List.of("absent-rows.jsonl", "absent*.jsonl", "absent rows.jsonl", "absent")) {
            assertThatThrownBy(() -> read("path: '%s'".formatted(path)))
                    .isInstanceOfSatisfying(Rlhf4jException.class, thrown -> assertThat(thrown.kind())
                            .isEqualTo(ErrorKind.DATA))
                    .hasMessageContaining("'%s' is no file, folder or table", path);
        }
    }

    private static List<RawRow> read(String source) {
        return new SourceReader(session)
                        .read(ConfigFile.parse(SourceConfig.class, source))
                        .map(row -> row.location() + "\t" + row.json())
                        .collect()
                        .stream()
                        .map(line -> line.split("\t", 2))
                        .map(parts -> new RawRow(parts[0], parts[1]))
                        .toList();
    }
}
