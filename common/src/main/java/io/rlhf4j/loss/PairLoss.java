package io.rlhf4j.loss;

/**
 * The reward model's loss of one pair (Bradley and Terry 1952; Ouyang et al. 2022, eq. 1): {@code -log sigmoid(chosen -
 * rejected - margin) + centering (chosen + rejected)^2}.
 *
 * @param centering weight of the term that keeps scores around zero
 */
public record PairLoss(double centering) {
    /**
     * One pair's loss.
     *
     * @param loss its value
     * @param chosenDerivative with respect to the chosen score
     * @param rejectedDerivative with respect to the rejected score
     */
    public record Term(double loss, double chosenDerivative, double rejectedDerivative) {}

    public Term of(double chosen, double rejected, double margin) {
        double gap = chosen - rejected - margin;
        double sum = chosen + rejected;
        double slope = -sigmoid(-gap);
        double pull = 2 * centering * sum;
        return new Term(softplus(-gap) + centering * sum * sum, slope + pull, -slope + pull);
    }

    /**
     * The loss of one pair that reads scores at every position (DeepSpeed-Chat): the mean of {@code -log sigmoid(chosen_t -
     * rejected_t)}.
     *
     * @param chosen scores at the positions compared
     * @param rejected likewise
     * @param chosenDerivatives receives the derivatives
     * @param rejectedDerivatives likewise
     */
    public static double perToken(
            double[] chosen, double[] rejected, double[] chosenDerivatives, double[] rejectedDerivatives) {
        PairLoss plain = new PairLoss(0);
        double loss = 0;
        for (int t = 0; t < chosen.length; t++) {
            Term term = plain.of(chosen[t], rejected[t], 0);
            loss += term.loss() / chosen.length;
            chosenDerivatives[t] = term.chosenDerivative() / chosen.length;
            rejectedDerivatives[t] = term.rejectedDerivative() / chosen.length;
        }
        return loss;
    }

    /**
     * The loss of several responses to one prompt, the best first: the mean over all of their pairs (Ouyang et al. 2022).
     *
     * @param derivatives receives the derivative with respect to each score
     */
    public double ranking(double[] scoresBestFirst, double[] derivatives) {
        int pairs = scoresBestFirst.length * (scoresBestFirst.length - 1) / 2;
        double loss = 0;
        for (int better = 0; better < scoresBestFirst.length; better++) {
            for (int worse = better + 1; worse < scoresBestFirst.length; worse++) {
                Term term = of(scoresBestFirst[better], scoresBestFirst[worse], 0);
                loss += term.loss() / pairs;
                derivatives[better] += term.chosenDerivative() / pairs;
                derivatives[worse] += term.rejectedDerivative() / pairs;
            }
        }
        return loss;
    }

    /** log(1 + exp(x)) without overflow. */
    private static double softplus(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    private static double sigmoid(double x) {
        return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
    }
}
