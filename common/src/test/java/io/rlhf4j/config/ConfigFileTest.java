package io.rlhf4j.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigFileTest {
    private static final String SMALLEST = "name: first\nmodels:\n  actor: models/base\n";

    private static RunConfig read(String yaml, String... overrides) {
        return ConfigFile.read(yaml, "run.yaml", List.of(overrides));
    }

    @Test
    void whatAFileLeavesOutHasThePublishedValues() {
        RunConfig config = read(SMALLEST);

        assertThat(config.path()).isEqualTo("runs/first");
        assertThat(config.steps()).containsExactly(Step.SFT, Step.REWARD, Step.PPO);
        assertThat(config.ppo().kl().beta()).isEqualTo(0.05);
        assertThat(config.ppo().scoreClip()).isEqualTo(5);
        assertThat(config.ppo().actorOptimizer().learningRate()).isEqualTo(2e-6);
        assertThat(config.ppo().criticOptimizer().learningRate()).isEqualTo(5e-6);
        assertThat(config.ppo().criticOptimizer().beta2()).isEqualTo(0.95);
        assertThat(config.sft().optimizer().learningRate()).isEqualTo(1e-5);
        assertThat(config.data().split()).containsExactly(2.0, 4.0, 4.0);
        assertThat(config.cluster().slotTimeout()).isEqualTo(Duration.ofSeconds(120));
        assertThat(config.compute().dtype()).isEqualTo(DType.FP32);
        assertThat(config.ppo().targetKl()).isEmpty();
    }

    @Test
    void aPartOfASectionKeepsTheOtherPresets() {
        RunConfig config = read(SMALLEST + "ppo:\n  actor_optimizer:\n    weight_decay: 0.1\n");

        assertThat(config.ppo().actorOptimizer().weightDecay()).isEqualTo(0.1);
        assertThat(config.ppo().actorOptimizer().learningRate()).isEqualTo(2e-6);
    }

    @Test
    void aProfileLiesUnderTheFile() {
        RunConfig config = read(SMALLEST + "profile: small\nppo:\n  sampling: {max_new_tokens: 99}\n");

        assertThat(config.sft().optimizer().learningRate()).isEqualTo(5e-4);
        assertThat(config.ppo().sampling().maxNewTokens()).isEqualTo(99);
    }

    @Test
    void overridesStandAboveTheFile() {
        RunConfig config = read(
                SMALLEST + "data:\n  sources:\n    - path: a.jsonl\n    - path: b.jsonl\n",
                "ppo.kl.beta=0.2",
                "steps=[sft, ppo]",
                "data.sources.1.path=c.parquet",
                "data.sources.2={path: d.jsonl, weight: 3}",
                "cluster.slot-timeout=5m",
                "cluster.spark.spark.executor.memory=4g");

        assertThat(config.ppo().kl().beta()).isEqualTo(0.2);
        assertThat(config.steps()).containsExactly(Step.SFT, Step.PPO);
        assertThat(config.data().sources()).extracting(SourceConfig::label).containsExactly("a", "c", "d");
        assertThat(config.data().sources().get(2).weight()).isEqualTo(3);
        assertThat(config.cluster().slotTimeout()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.cluster().spark()).containsEntry("spark.executor.memory", "4g");
    }

    @Test
    void whatIsWrittenIsReadBackEqual() {
        RunConfig config = read(
                SMALLEST
                        + """
                profile: small
                seed: 7
                data:
                  sources:
                    - {path: "a: b.jsonl", columns: {chosen: yes, rejected: "null", dialogue: true}}
                ppo:
                  target_kl: 0.1
                  sampling: {stop: ["\\nHuman:", "#", ""]}
                  rewards:
                    - kind: model
                    - {kind: rule, rule: regex, pattern: '#### (-?\\d+)', weight: 0.5, call: {deadline: 500ms}}
                    - {kind: java, class_name: com.example.Polite, settings: {colour: blue, a-b.c: "true"}}
                cluster:
                  spark: {spark.executor.memory: 4g, spark.hadoop.fs.s3a.secret.key: "${env:S3_SECRET}"}
                """);

        assertThat(read(ConfigFile.write(config))).isEqualTo(config);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            ppo: {iteration: 3}               | run.yaml:4:7: there is no key 'ppo.iteration'; did you mean 'iterations'?
            pppo: {iterations: 3}             | run.yaml:4:1: there is no key 'pppo'; did you mean 'ppo'?
            ppo: {beta: 3}                    | run.yaml:4:7: there is no key 'ppo.beta'; did you mean 'ppo.kl.beta'?
            ppo: {iterations: many}           | run.yaml:4:19: ppo.iterations is 'many', expected a whole number
            ppo: {iterations: 1.5}            | run.yaml:4:19: ppo.iterations is '1.5', expected a whole number
            ppo: {iterations: 99999999999}    | run.yaml:4:19: ppo.iterations is '99999999999', expected a whole number
            ppo: {gamma: 1.5}                 | run.yaml:4:14: ppo.gamma is 1.5, allowed is [0, 1]
            ppo: {gamma: .nan}                | run.yaml:4:14: ppo.gamma is '.nan', expected a number
            ppo: {whiten: yes}                | run.yaml:4:15: ppo.whiten is 'yes', expected a true or false
            ppo: {kl: {estimator: k4}}        | run.yaml:4:23: ppo.kl.estimator is 'k4', allowed is k1 | k2 | k3
            ppo: {minibatches: 65}            | run.yaml:4:20: ppo.minibatches is 65, more than the 64 rollouts
            ppo: {rewards: [{kind: modle}]}   | ppo.rewards.0.kind is 'modle', allowed is model | rule | java | network
            ppo: {rewards: [{weight: 1}]}     | ppo.rewards.0.kind is missing: one of model | rule | java | network
            ppo: 3                            | run.yaml:4:6: ppo is a section
            steps: sft                        | run.yaml:4:8: steps has to be a list
            steps: [ppo, sft]                 | steps has to keep the order sft, reward, ppo
            steps: [stf]                      | steps.0 is 'stf', allowed is sft | reward | ppo; did you mean 'sft'?
            seed: [1]                         | run.yaml:4:7: seed has to be one value: whole number
            seed: 1                           | null
            name: second                      | run.yaml:4:1: the key 'name' is given twice
            cluster: {collectives: ring}      | cluster.collectives is 'ring', allowed is network
            cluster: {collectives: nccl}      | cluster.collectives is nccl, which moves tensors of GPUs: compute.backend has to be cuda, it is 'auto'
            cluster: {slot_timeout: 120}      | cluster.slot_timeout is '120', expected a duration with a unit
            data: {sources: [{weight: 1}]}    | data.sources.0.path is missing: File, folder, pattern or table name.
            data: {sources: [{path: a}, {path: b/a.jsonl}]} | data.sources has two sources called 'a'
            seed: *anchor                     | anchors and aliases are not read
            data: {split: [1, 2}              | run.yaml:4:
            """)
    void aMistakeIsShownWithItsPlace(String line, String message) {
        String yaml = SMALLEST + line + "\n";
        if (message.equals("null")) {
            assertThat(read(yaml).seed()).isEqualTo(1);
            return;
        }
        assertThatThrownBy(() -> read(yaml))
                .isInstanceOfSatisfying(Rlhf4jException.class, exception -> assertThat(exception.kind())
                        .isEqualTo(ErrorKind.CONFIGURATION))
                .hasMessageContaining(message);
    }

    @Test
    void tensorsMayGoFromGpuToGpuWhereTheBackendHasGpus() {
        RunConfig config = read(SMALLEST, "cluster.collectives=nccl", "compute.backend=cuda");
        assertThat(config.cluster().collectives()).isEqualTo(ClusterConfig.Transport.NCCL);
        assertThat(read(SMALLEST).cluster().collectives()).isEqualTo(ClusterConfig.Transport.NETWORK);
    }

    @Test
    void aMistypedOverrideNamesTheOption() {
        assertThatThrownBy(() -> read(SMALLEST, "ppo.gama=1"))
                .hasMessage("--set ppo.gama: there is no key 'ppo.gama'; did you mean 'gamma'?");
        assertThatThrownBy(() -> read(SMALLEST, "ppo.gamma")).hasMessageContaining("expected key=value");
        assertThatThrownBy(() -> read(SMALLEST, "ppo.gamma=one")).hasMessageContaining("expected a number");
        assertThatThrownBy(() -> read(SMALLEST, "name.first=one")).hasMessageContaining("it has no part 'first'");
        assertThatThrownBy(() -> read(SMALLEST + "steps: [sft]\n", "steps.5=ppo"))
                .hasMessageContaining("steps is a list of 1; name an item by 0 to 1, 1 appends");
    }

    @Test
    void aMissingKeyIsExplained() {
        assertThatThrownBy(() -> read("name: first\n"))
                .hasMessageContaining("models.actor is missing: Directory of the pretrained causal language model");
    }

    @Test
    void anAbsentFileIsAMistakeInTheConfiguration(@TempDir java.nio.file.Path folder) throws IOException {
        Path absent = new Path(folder.resolve("absent.yaml").toUri());
        assertThatThrownBy(() -> ConfigFile.load(absent, new Configuration(false), List.of()))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining("absent.yaml: there is no such configuration file");

        java.nio.file.Path present = Files.writeString(folder.resolve("present.yaml"), SMALLEST);
        RunConfig config = ConfigFile.load(new Path(present.toUri()), new Configuration(false), List.of("seed=4"));
        assertThat(config.seed()).isEqualTo(4);
    }

    @Test
    void aSectionIsParsedAlone() {
        OptimizerConfig optimizer =
                ConfigFile.parse(OptimizerConfig.class, "learning_rate: 1e-3", "schedule.kind=constant");

        assertThat(optimizer.learningRate()).isEqualTo(1e-3);
        assertThat(optimizer.schedule().kind()).isEqualTo(ScheduleConfig.Kind.CONSTANT);
    }
}
