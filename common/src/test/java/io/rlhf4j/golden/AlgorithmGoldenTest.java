package io.rlhf4j.golden;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every formula against reference numbers, file by file of {@code algorithms/}; a file that no one here knows fails. */
class AlgorithmGoldenTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final Map<String, Algorithm> KNOWN = Map.ofEntries(
            entry("adamw", (Algorithm.Device) OptimizerAlgorithms::adamW),
            entry("cross_entropy", (Algorithm.Host) LossAlgorithms::crossEntropy),
            entry("deepspeed_chat_ppo", (Algorithm.Host) DeepSpeedChatAlgorithm::wholeStep),
            entry("ema", (Algorithm.Device) OptimizerAlgorithms::movingAverage),
            entry("entropy_logprob", (Algorithm.Device) HeadAlgorithms::entropyAndLogProb),
            entry("gae", (Algorithm.Host) AdvantageAlgorithms::generalizedAdvantage),
            entry("grad_clip", (Algorithm.Device) OptimizerAlgorithms::gradientClipping),
            entry("kl_controller", (Algorithm.Host) AdvantageAlgorithms::controller),
            entry("kl_estimators", (Algorithm.Host) AdvantageAlgorithms::estimators),
            entry("logits_processing", (Algorithm.Host) SamplingAlgorithms::probabilities),
            entry("lr_schedules", (Algorithm.Host) OptimizerAlgorithms::schedule),
            entry("ppo_policy_loss", (Algorithm.Host) LossAlgorithms::policy),
            entry("ppo_ptx", (Algorithm.Device) HeadAlgorithms::policyAndText),
            entry("ppo_value_loss", (Algorithm.Host) LossAlgorithms::value),
            entry("reward_model_loss", (Algorithm.Host) RewardModelAlgorithms::loss),
            entry("reward_shaping", (Algorithm.Host) AdvantageAlgorithms::shaping),
            entry("whitening", (Algorithm.Host) AdvantageAlgorithms::whitening));

    /** Methods that are still to come. */
    private static final Set<String> PENDING = Set.of("dpo", "grpo", "kto", "orpo", "reinforce_pp", "rloo", "simpo");

    @TestFactory
    List<DynamicNode> everyFormulaGivesTheReferenceNumbers() {
        List<DynamicNode> tests = new ArrayList<>();
        for (Path file : GoldenFolder.cases("algorithms")) {
            String name = file.getFileName().toString().replaceFirst("\\.json$", "");
            if (PENDING.contains(name)) {
                System.out.println("pending: algorithms/" + name + " (its method is not part of the product yet)");
            } else if (KNOWN.containsKey(name)) {
                tests.add(DynamicContainer.dynamicContainer(name, casesOf(KNOWN.get(name), GoldenFolder.json(file))));
            } else {
                tests.add(DynamicTest.dynamicTest(name, () -> fail("no algorithm of the product belongs to " + file)));
            }
        }
        return tests;
    }

    private static List<DynamicTest> casesOf(Algorithm algorithm, JsonNode file) {
        JsonNode shared = file.path("inputs");
        if (!file.has("cases")) {
            return testsOf(algorithm, new Fixture("all", shared, MissingNode.getInstance()), file.get("expected"));
        }
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode each : file.get("cases")) {
            Fixture fixture = new Fixture(each.get("name").textValue(), shared, each.get("inputs"));
            tests.addAll(testsOf(algorithm, fixture, each.get("expected")));
        }
        return tests;
    }

    private static List<DynamicTest> testsOf(Algorithm algorithm, Fixture fixture, JsonNode expected) {
        if (algorithm instanceof Algorithm.Host host) {
            return List.of(DynamicTest.dynamicTest(
                    fixture.name(), () -> compare("", expected, JSON.valueToTree(host.compute(fixture)), 1e-9)));
        }
        Algorithm.Device device = (Algorithm.Device) algorithm;
        List<DynamicTest> tests = new ArrayList<>();
        for (String backend : List.of("cpu", "nd4j")) {
            tests.add(DynamicTest.dynamicTest(fixture.name() + " on " + backend, () -> {
                Backend chosen = Backends.onClassPath().choose(backend, 2).backend();
                try (Scope work = Scope.root(chosen, "golden")) {
                    compare("", expected, JSON.valueToTree(device.compute(fixture, work)), 1e-5);
                }
            }));
        }
        return tests;
    }

    /** Whatever is expected has to be there; what was computed beyond it does not matter. */
    private static void compare(String place, JsonNode expected, JsonNode actual, double tolerance) {
        assertThat(actual).as("%s was not computed", place).isNotNull();
        if (expected.isObject()) {
            expected.fieldNames()
                    .forEachRemaining(
                            name -> compare(place + "/" + name, expected.get(name), actual.get(name), tolerance));
        } else if (expected.isArray()) {
            assertThat(actual.size()).as(place).isEqualTo(expected.size());
            for (int i = 0; i < expected.size(); i++) {
                compare(place + "/" + i, expected.get(i), actual.get(i), tolerance);
            }
        } else {
            double value = expected.doubleValue();
            assertThat(actual.isNumber()).as("%s is %s", place, actual).isTrue();
            assertThat(Math.abs(actual.doubleValue() - value))
                    .as("%s is %s, expected %s", place, actual, expected)
                    .isLessThanOrEqualTo(tolerance * Math.max(1, Math.abs(value)));
        }
    }
}
