package io.rlhf4j.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SamplingConfig;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The sampler against the definition of each setting, token by token: the middle of the part of [0, 1) that a token should
 * have draws that token. The definitions are here written with sorted indices, in the order repetition penalty, fewest
 * tokens, temperature, top k, top p, min p.
 */
class SamplingReferenceTest {
    private static final int VOCABULARY = 997;
    private static final int[] PROMPT = {3, 14, 15, 92, 65};
    private static final int[] ANSWER = {35, 3};
    private static final int[] EOS_IDS = {7, 200};

    private final float[] logits = new float[2 * VOCABULARY];
    private final TokenHistory history = new TokenHistory(PROMPT, ANSWER.length);

    SamplingReferenceTest() {
        RandomStream stream = RandomStream.of(11);
        for (int i = 0; i < logits.length; i++) {
            // A few tokens stand out, as a model's do, and no two are alike.
            logits[i] = (float) (-2 * Math.log(1 - stream.uniform(i)) - 1 + (i % 50 == 14 ? 3 : 0));
        }
        Arrays.stream(ANSWER).forEach(history::add);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "temperature: 1",
                "temperature: 0.6, top_k: 40",
                "top_k: 1",
                "top_k: 990",
                "top_p: 0.9",
                "top_p: 0.01",
                "top_p: 0.999",
                "min_p: 0.2",
                "temperature: 1.7, min_p: 0.05",
                "temperature: 0.8, top_k: 100, top_p: 0.7, min_p: 0.1",
                "repetition_penalty: 1.3, temperature: 0.9, top_p: 0.8",
                "repetition_penalty: 0.7, min_new_tokens: 5, top_k: 30",
                "min_new_tokens: 3, min_p: 0.3"
            })
    void eachTokenHasThePartOfTheUnitIntervalThatItsProbabilityIs(String settings) {
        SamplingConfig config = ConfigFile.parse(SamplingConfig.class, "{" + settings + "}");
        TokenSampler sampler = new TokenSampler(config, VOCABULARY, EOS_IDS);
        double[] probabilities = reference(config);
        double before = 0;
        for (int token = 0; token < VOCABULARY; token++) {
            if (probabilities[token] > 0) {
                double middle = before + probabilities[token] / 2;
                assertThat(sampler.sample(logits, VOCABULARY, history, middle)).isEqualTo(token);
                assertThat(sampler.logProb(logits, VOCABULARY, token))
                        .isCloseTo((float) logProb(token, config.temperature()), within(1e-5f));
            }
            before += probabilities[token];
        }
        assertThat(before).isCloseTo(1, within(1e-12));
    }

    /** Of the whole vocabulary at the temperature, whatever is removed. */
    private double logProb(int token, double temperature) {
        double sum = IntStream.range(0, VOCABULARY)
                .mapToDouble(i -> Math.exp(logits[VOCABULARY + i] / temperature))
                .sum();
        return logits[VOCABULARY + token] / temperature - Math.log(sum);
    }

    private double[] reference(SamplingConfig config) {
        double[] scores = new double[VOCABULARY];
        for (int i = 0; i < VOCABULARY; i++) {
            scores[i] = logits[VOCABULARY + i];
        }
        IntStream.concat(Arrays.stream(PROMPT), Arrays.stream(ANSWER))
                .distinct()
                .forEach(seen -> scores[seen] = scores[seen] > 0
                        ? scores[seen] / config.repetitionPenalty()
                        : scores[seen] * config.repetitionPenalty());
        if (ANSWER.length < config.minNewTokens()) {
            Arrays.stream(EOS_IDS).forEach(end -> scores[end] = Double.NEGATIVE_INFINITY);
        }
        int[] order = IntStream.range(0, VOCABULARY)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> scores[i]).reversed())
                .mapToInt(Integer::intValue)
                .toArray();
        double[] weights = new double[VOCABULARY];
        int kept = config.topK() == 0 ? VOCABULARY : Math.min(VOCABULARY, config.topK());
        for (int place = 0; place < kept; place++) {
            weights[order[place]] = Math.exp(scores[order[place]] / config.temperature());
        }
        double all = Arrays.stream(weights).sum();
        double held = 0;
        for (int place = 0; place < VOCABULARY; place++) {
            double share = weights[order[place]] / all;
            if (held >= config.topP()) {
                weights[order[place]] = 0;
            }
            held += share;
        }
        double least = config.minP() * weights[order[0]];
        for (int i = 0; i < VOCABULARY; i++) {
            weights[i] = weights[i] < least ? 0 : weights[i];
        }
        double left = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(weight -> weight / left).toArray();
    }
}
