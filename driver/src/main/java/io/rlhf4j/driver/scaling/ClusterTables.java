package io.rlhf4j.driver.scaling;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The tables of docs/scaling.md. */
public final class ClusterTables {
    private static final List<Integer> RANKS = List.of(8, 64, 512);
    private static final Load LOAD = new Load(16, 256, 256);
    /** Of work between two checkpoints of training alone. */
    private static final double INTERVAL = 600;

    private static final double GIGA = 1e9;
    private static final double HOUR = 3600;

    private ClusterTables() {}

    /** All tables for a cluster, in Markdown. */
    public static String text(Cluster cluster) {
        StringBuilder text = new StringBuilder();
        text.append("One optimizer step, 16 x 512 tokens a GPU, ZeRO stage 3:\n\n")
                .append(
                        "| model | GPUs | held, GB | compute, s | waiting for the network, s | optimizer, s | step, s | tokens/s,"
                                + " all | of one GPU's rate | sent by a GPU, GB | restart, s | useful time |\n")
                .append("|---|---|---|---|---|---|---|---|---|---|---|---|\n");
        for (Shape shape : Shape.OPT) {
            RANKS.forEach(ranks -> text.append(trainingRow(shape, ranks, cluster)));
        }
        text.append(
                        "\nAn iteration of PPO, 16 prompts of 256 tokens with answers of 256 a GPU, four models of one shape:\n\n")
                .append(
                        "| models | GPUs | held, GB | generate, s | score, s | train, s | publish, s | iteration, s | sent by a"
                                + " GPU, GB | restart, s | one failure costs, s | useful time | at one loss an hour | at six |\n")
                .append("|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
        for (Shape shape : Shape.OPT) {
            RANKS.forEach(ranks -> text.append(iterationRow(shape, ranks, cluster)));
        }
        return text.toString();
    }

    private static String trainingRow(Shape shape, int ranks, Cluster cluster) {
        Training training = Training.of(shape, ranks, LOAD, cluster);
        StepTime step = training.step();
        if (!training.fits(cluster)) {
            return row(
                    shape.name(),
                    ranks,
                    number(training.heldBytes() / GIGA),
                    "does not fit",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "");
        }
        double alone = LOAD.tokens() / (step.compute() + step.optimizer());
        double all = ranks * LOAD.tokens() / step.seconds();
        double restart = cluster.noticeSeconds()
                + (Training.BF16 * shape.parameters() + training.savedBytes()) / cluster.filesBytesPerSecond();
        Failures failures = new Failures(cluster.secondsBetweenFailures() / ranks, restart);
        return row(
                shape.name(),
                ranks,
                number(training.heldBytes() / GIGA),
                number(step.compute()),
                number(step.exchange()),
                number(step.optimizer()),
                number(step.seconds()),
                String.format(Locale.ROOT, "%,.0f", all),
                percent(all / ranks / alone),
                number(step.sentBytes() / GIGA),
                number(restart),
                percent(failures.useful(INTERVAL, training.pause(cluster))));
    }

    private static String iterationRow(Shape shape, int ranks, Cluster cluster) {
        Optional<Iteration> fitting = Iteration.of(shape, ranks, LOAD, cluster);
        if (fitting.isEmpty()) {
            return row(shape.name(), ranks, "does not fit", "", "", "", "", "", "", "", "", "", "");
        }
        Iteration iteration = fitting.get();
        double restart = Iteration.restart(shape, ranks, cluster);
        Failures failures = new Failures(cluster.secondsBetweenFailures() / ranks, restart);
        return row(
                shape.name(),
                ranks,
                number(iteration.heldBytes() / GIGA),
                number(iteration.generate()),
                number(iteration.score()),
                number(iteration.train()),
                number(iteration.publish()),
                number(iteration.seconds()),
                number(iteration.sentBytes() / GIGA),
                number(restart),
                number(failures.ofOne(iteration.seconds())),
                percent(failures.useful(iteration.seconds(), iteration.pause(cluster))),
                percent(useful(1, restart, iteration, cluster)),
                percent(useful(6, restart, iteration, cluster)));
    }

    /** Where the group loses somebody so many times an hour, because others may take its nodes for example. */
    private static double useful(int losses, double restart, Iteration iteration, Cluster cluster) {
        return new Failures(HOUR / losses, restart).useful(iteration.seconds(), iteration.pause(cluster));
    }

    private static String row(Object... cells) {
        StringBuilder row = new StringBuilder("|");
        for (Object cell : cells) {
            row.append(' ').append(cell).append(" |");
        }
        return row.append('\n').toString();
    }

    /** Three digits that count. */
    private static String number(double value) {
        int digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}
