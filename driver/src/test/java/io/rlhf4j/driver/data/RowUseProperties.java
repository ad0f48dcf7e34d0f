package io.rlhf4j.driver.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.config.Step;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class RowUseProperties {
    private static final List<Double> SPLIT = List.of(2.0, 4.0, 4.0);

    @Property(tries = 100)
    void aRowOfASourceOfOneStepServesIt(@ForAll String group, @ForAll long seed) {
        assertThat(new RowUse(source("[reward]", 0), SPLIT, seed).step(group)).isEqualTo(Step.REWARD);
    }

    @Property(tries = 100)
    void everythingOrNothingMayBeHeldOut(@ForAll String group, @ForAll long seed) {
        assertThat(new RowUse(source("[sft]", 1), SPLIT, seed).heldOut(group)).isTrue();
        assertThat(new RowUse(source("[sft]", 0), SPLIT, seed).heldOut(group)).isFalse();
    }

    @Example
    void rowsAreDividedInTheProportionsAsked() {
        RowUse use = new RowUse(source("[sft, reward, ppo]", 0.25), SPLIT, 3);
        Map<Step, Integer> counts = new EnumMap<>(Step.class);
        int heldOut = 0;
        for (int row = 0; row < 10_000; row++) {
            counts.merge(use.step("rows.jsonl:" + row), 1, Integer::sum);
            heldOut += use.heldOut("rows.jsonl:" + row) ? 1 : 0;
        }
        assertThat(counts.get(Step.SFT)).isCloseTo(2000, within(150));
        assertThat(counts.get(Step.REWARD)).isCloseTo(4000, within(150));
        assertThat(counts.get(Step.PPO)).isCloseTo(4000, within(150));
        assertThat(heldOut).isCloseTo(2500, within(150));
    }

    private static SourceConfig source(String steps, double heldOut) {
        return ConfigFile.parse(
                SourceConfig.class, "{path: rows.jsonl, steps: %s, held_out: %s}".formatted(steps, heldOut));
    }
}
