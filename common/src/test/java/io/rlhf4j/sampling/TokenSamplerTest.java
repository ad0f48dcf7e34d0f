package io.rlhf4j.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SamplingConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenSamplerTest {
    private static final float[] LOGITS = {9, 0.5f, 2f, -1f, 1f, -30f};
    private static final TokenHistory EMPTY = new TokenHistory(new int[] {0}, 1);
    private static final int DRAWS = 40_000;

    /** The row begins behind another one's last logit. */
    private static TokenSampler sampler(String settings) {
        return new TokenSampler(
                ConfigFile.parse(SamplingConfig.class, "{" + settings + "}"), LOGITS.length - 1, new int[] {3});
    }

    private static double[] probabilities(double temperature) {
        double[] probabilities = new double[LOGITS.length - 1];
        double sum = 0;
        for (int i = 0; i < probabilities.length; i++) {
            probabilities[i] = Math.exp(LOGITS[i + 1] / temperature);
            sum += probabilities[i];
        }
        for (int i = 0; i < probabilities.length; i++) {
            probabilities[i] /= sum;
        }
        return probabilities;
    }

    private static double[] shares(TokenSampler sampler) {
        double[] shares = new double[LOGITS.length - 1];
        RandomStream stream = RandomStream.of(5);
        for (int draw = 0; draw < DRAWS; draw++) {
            shares[sampler.sample(LOGITS, 1, EMPTY, stream.uniform(draw))] += 1.0 / DRAWS;
        }
        return shares;
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, 0.7, 1.6})
    void tokensComeAsOftenAsTheirProbabilitySays(double temperature) {
        double[] expected = probabilities(temperature);
        for (String settings : new String[] {"", ", top_k: 5", ", min_new_tokens: 0, top_p: 0.999999999"}) {
            double[] shares = shares(sampler("temperature: " + temperature + settings));
            for (int token = 0; token < shares.length; token++) {
                assertThat(shares[token]).isCloseTo(expected[token], within(0.01));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"temperature: 0.7", "temperature: 0.7, top_k: 2", "temperature: 0.7, repetition_penalty: 3"})
    void aLogProbIsThatOfTheWholeSoftmaxAtTheTemperatureWhateverWasRemoved(String settings) {
        TokenSampler sampler = sampler(settings);
        int token = sampler.sample(LOGITS, 1, EMPTY, 0.3);
        assertThat(Math.exp(sampler.logProb(LOGITS, 1, token))).isCloseTo(probabilities(0.7)[token], within(1e-6));
    }

    @Test
    void greedyTakesTheLargestAndItsLogProbIsThatOfTemperatureOne() {
        TokenSampler sampler = sampler("temperature: 0");
        assertThat(sampler.sample(LOGITS, 1, EMPTY, 0.99)).isEqualTo(1);
        assertThat(Math.exp(sampler.logProb(LOGITS, 1, 1))).isCloseTo(probabilities(1)[1], within(1e-6));
    }

    @Test
    void theEndsOfTheUnitIntervalGiveTokensThatAreThere() {
        for (double uniform : new double[] {0, Math.nextDown(1.0)}) {
            assertThat(sampler("top_k: 2").sample(LOGITS, 1, EMPTY, uniform)).isIn(1, 3);
        }
    }

    @Test
    void numbersOfAStreamAreEvenAndDifferFromThoseOfItsNeighbours() {
        RandomStream stream = RandomStream.of(1);
        double sum = 0;
        double product = 0;
        for (int i = 0; i < DRAWS; i++) {
            double here = stream.at("row").at(i).uniform(0);
            sum += here;
            product += (here - 0.5) * (stream.at("row").at(i + 1).uniform(0) - 0.5);
        }
        assertThat(sum / DRAWS).isCloseTo(0.5, within(0.01));
        assertThat(product / DRAWS).isCloseTo(0, within(0.005));
        assertThat(stream.at(1).bits(2)).isNotEqualTo(stream.at(2).bits(1));
    }
}
