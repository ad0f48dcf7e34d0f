package io.rlhf4j.advantage;

/**
 * Generalised advantage estimation (Schulman et al. 2016): {@code delta_t = r_t + gamma V_{t+1} - V_t, A_t = delta_t + gamma
 * lambda A_{t+1}}, returns {@code A_t + V_t}. Tokens that the mask lacks are passed over: the next one that it has follows.
 */
public record GeneralizedAdvantage(double gamma, double lambda) {
    /**
     * Advantages and returns of one response; 0 where the mask is false.
     */
    public record Estimate(double[] advantages, double[] returns) {}

    /**
     * Estimates one response.
     *
     * @param valueAfter value of the state after the last token: 0 where the response has ended
     */
    public Estimate of(double[] rewards, double[] values, boolean[] mask, double valueAfter) {
        double[] advantages = new double[rewards.length];
        double[] returns = new double[rewards.length];
        double nextValue = valueAfter;
        double nextAdvantage = 0;
        for (int t = rewards.length - 1; t >= 0; t--) {
            if (mask[t]) {
                double delta = rewards[t] + gamma * nextValue - values[t];
                advantages[t] = delta + gamma * lambda * nextAdvantage;
                returns[t] = advantages[t] + values[t];
                nextValue = values[t];
                nextAdvantage = advantages[t];
            }
        }
        return new Estimate(advantages, returns);
    }
}
