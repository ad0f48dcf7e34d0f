package io.rlhf4j.driver.scaling;

/**
 * What failures cost a run that goes on from checkpoints (Daly 2006, eq. 20). They come at random, at a mean rate; one that
 * comes while the run restarts begins the restart anew.
 *
 * @param meanSeconds between two failures of the whole group of ranks
 * @param restartSeconds from a failure to the first new work
 */
public record Failures(double meanSeconds, double restartSeconds) {
    /**
     * Seconds by the clock for each second of work that stays.
     *
     * @param intervalSeconds of work between two checkpoints
     * @param pauseSeconds that work stands still for a checkpoint
     */
    public double stretch(double intervalSeconds, double pauseSeconds) {
        return meanSeconds
                * Math.exp(restartSeconds / meanSeconds)
                * Math.expm1((intervalSeconds + pauseSeconds) / meanSeconds)
                / intervalSeconds;
    }

    /** The share of time that is work that stays: 1 where nothing fails and nothing stands still. */
    public double useful(double intervalSeconds, double pauseSeconds) {
        return 1 / stretch(intervalSeconds, pauseSeconds);
    }

    /** Seconds that one failure costs: the restart, and half of what lies between two checkpoints. */
    public double ofOne(double intervalSeconds) {
        return restartSeconds + intervalSeconds / 2;
    }
}
