package io.rlhf4j.driver.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.driver.identity.RunRecord;
import io.rlhf4j.driver.pipeline.TinyRun;
import io.rlhf4j.driver.plan.PeakMemory;
import io.rlhf4j.run.Machine;
import io.rlhf4j.run.MetricsLog;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.RunStatus;
import io.rlhf4j.run.SmallFiles;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class RunReportTest {
    private static final String HOSTILE = "<script>alert('\u00fc & \"x\"')</script>";

    private final Configuration hadoop = new Configuration();

    @TempDir
    private Path temporary;

    @Test
    void thePageShowsCurvesComparisonsAnswersAndWhatTheRunIs() throws Exception {
        RunFolder folder = run();
        RunReport.write(folder, hadoop, List.of(new PeakMemory(Step.PPO, 3 << 20, 2 << 20, 9 << 20)));

        Document page = parsed(Files.readString(Path.of(folder.report().toUri().getPath())));
        assertThat(texts(page, "h2"))
                .containsExactly(
                        "Supervised fine-tuning",
                        "Proximal policy optimisation",
                        "Memory at its peak",
                        "Configuration",
                        "Identity");
        // A curve with 1000 steps is drawn with fewer points, and has its evaluations beside it.
        assertThat(texts(page, "figcaption")).containsExactly("loss", "reward");
        Element line = (Element) page.getElementsByTagName("polyline").item(0);
        String[] points = line.getAttribute("points").strip().split(" ");
        assertThat(points).hasSize(300);
        assertThat(points[0]).matches("0\\.\\d,.*");
        assertThat(points[299]).isEqualTo("300.0,120.0");
        assertThat(page.getElementsByTagName("circle").getLength()).isEqualTo(4);
        assertThat(texts(page, "td"))
                .contains("evaluated <b>", "0.2500", "0.7500", "3.0 MiB", "2.0 MiB", "9.0 MiB")
                .contains(HOSTILE, "one\n[0.2500]", HOSTILE + "\n[0.7500]")
                .contains("backend", "cpu");
        assertThat(texts(page, "pre").get(0)).contains("name: reported", "micro_batch_tokens: 256");
    }

    @Test
    void thePageNeedsNoNetworkAndNoScript() throws Exception {
        RunFolder folder = run();
        RunReport.write(folder, hadoop, List.of());

        String text = Files.readString(Path.of(folder.report().toUri().getPath()));
        Document page = parsed(text);
        assertThat(page.getElementsByTagName("script").getLength()).isZero();
        assertThat(page.getElementsByTagName("link").getLength()).isZero();
        assertThat(text).doesNotContain("src=", "href=", "url(", "http:", "https:", "onload");
    }

    @Test
    void aRunThatHasJustBegunHasAPageToo() throws Exception {
        RunConfig config = TinyRun.in(temporary, "young");
        RunFolder folder = RunFolder.of(config, hadoop);
        RunReport.write(folder, hadoop, List.of());
        assertThat(texts(parsed(Files.readString(Path.of(folder.report().toUri().getPath()))), "h1"))
                .containsExactly("young");
    }

    private RunFolder run() throws IOException {
        RunConfig config = TinyRun.in(temporary, "reported");
        RunFolder folder = RunFolder.of(config, hadoop);
        new RunRecord(config, Machine.here(config), folder, hadoop).start(line -> {});
        folder.writeStatus(RunStatus.running("pipeline", 1).done());
        try (MetricsLog metrics = folder.openMetrics()) {
            IntStream.rangeClosed(1, 1000)
                    .forEach(step -> metrics.append(Step.SFT, "train", step, Map.of("loss", 3.0 / step)));
            metrics.append(Step.SFT, "evaluation", 0, Map.of("loss", 3.0));
            metrics.append(Step.SFT, "evaluation", 1000, Map.of("loss", Double.NaN));
            metrics.append(Step.SFT, "evaluation", 500, Map.of("loss", 1.0));
            metrics.append(Step.PPO, "evaluation", 0, Map.of("evaluation/reward", 0.25));
            metrics.append(Step.PPO, "evaluation", 2, Map.of("evaluation/reward", 0.75));
        }
        SmallFiles files = new SmallFiles(hadoop);
        files.write(
                folder.result(Step.PPO),
                """
                {"step": "PPO", "steps": 2, "before": {"evaluated <b>": 0.25}, "after": {"evaluated <b>": 0.75},
                 "exports": {"actor": "%s"}}
                """
                        .formatted(folder.export("actor")));
        files.write(folder.answers(Step.PPO, 0), answers("one", 0.25));
        files.write(folder.answers(Step.PPO, 2), answers(HOSTILE, 0.75));
        return folder;
    }

    private static String answers(String answer, double reward) {
        return "[{\"source\": \"s\", \"key\": \"1\", \"prompt\": \"%s\", \"answer\": \"%s\", \"numbers\": {\"reward\": %s}}]"
                .formatted(quoted(HOSTILE), quoted(answer), reward);
    }

    private static String quoted(String text) {
        return text.replace("\"", "\\\"");
    }

    private static Document parsed(String page) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(page)));
    }

    private static List<String> texts(Document page, String element) {
        NodeList found = page.getElementsByTagName(element);
        return IntStream.range(0, found.getLength())
                .mapToObj(i -> found.item(i).getTextContent())
                .toList();
    }
}
