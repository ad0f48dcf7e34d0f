package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.TokenRow;
import io.rlhf4j.driver.data.RowOrder;
import io.rlhf4j.driver.spark.BarrierJob;
import io.rlhf4j.driver.spark.LiveReports;
import io.rlhf4j.driver.spark.Stragglers;
import io.rlhf4j.run.MetricsLog;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.workers.checkpoint.Checkpoint;
import io.rlhf4j.workers.checkpoint.CheckpointStore;
import io.rlhf4j.workers.checkpoint.Retention;
import io.rlhf4j.workers.engine.EngineProgress;
import io.rlhf4j.workers.job.ChunkResult;
import io.rlhf4j.workers.job.ChunkTask;
import io.rlhf4j.workers.runtime.StateId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Step 1 or 2 on Spark: chunks of optimizer steps, each a barrier job that ends with a checkpoint. One attempt; whoever calls
 * it again goes on from the last checkpoint, to the same result.
 */
final class SupervisedStep<R extends TokenRow> {
    private final JavaSparkContext context;
    private final RunConfig config;
    private final Step step;
    private final RunFolder folder;
    private final Configuration hadoop;
    private final BarrierJob job;
    private final Progress progress;
    private final Stragglers stragglers;
    private final CheckpointStore store;
    private final Function<long[], List<R>> rows;
    private final Runnable stopHere;

    /**
     * @param stragglers hears how long ranks are at work
     * @param rows reads prepared rows by their numbers
     * @param stopHere called between jobs, where there is none to cancel; throws where the run was interrupted
     */
    SupervisedStep(
            JavaSparkContext context,
            RunConfig config,
            RunFolder folder,
            Step step,
            BarrierJob job,
            Progress progress,
            Stragglers stragglers,
            Function<long[], List<R>> rows,
            Runnable stopHere) {
        this.context = context;
        this.config = config;
        this.step = step;
        this.hadoop = context.hadoopConfiguration();
        this.folder = folder;
        this.job = job;
        this.progress = progress;
        this.stragglers = stragglers;
        this.rows = rows;
        this.stopHere = stopHere;
        this.store = new CheckpointStore(
                folder.checkpoints(step), hadoop, Retention.of(config.checkpoints()), Map.of(), folder.fence());
    }

    /** Where an attempt stands. */
    private record Position(
            StateId state,
            ArrayList<String> resume,
            EngineProgress progress,
            Map<String, Double> before,
            Map<String, Double> after) {}

    /**
     * Trains to the end.
     *
     * @param order of the rows
     * @param batchSize rows of an optimizer step
     * @param steps optimizer steps in all
     * @param heldOut rows to evaluate on before and after; may be none
     * @return evaluations before and after, and the exported directory
     */
    StepResult run(RowOrder order, int batchSize, long steps, List<R> heldOut) throws Exception {
        Position position = begin();
        String export = folder.export(step.key()).toString();
        try (MetricsLog log = folder.openMetrics();
                PendingCheckpoints pending =
                        new PendingCheckpoints(store, position.state().generation(), job::allThere)) {
            log.cutAfter(step, position.state().version());
            progress.begin(step.key(), position.state().version(), steps);
            if (position.state().version() == 0 && !heldOut.isEmpty()) {
                progress.note("%d held-out rows are measured before the first step".formatted(heldOut.size()));
            }
            while (position.state().version() < steps) {
                stopHere.run();
                position = chunk(position, order, batchSize, steps, heldOut, export, log, pending);
            }
            pending.finish();
            progress.end(step.key());
        }
        return new StepResult(step, steps, position.before(), position.after(), Map.of(step.key(), export));
    }

    private Position begin() {
        CheckpointStore.Search search = store.latest();
        search.passedOver().forEach(progress::note);
        StateId start = new StateId(folder.root().toString(), UUID.randomUUID().toString(), 0);
        Optional<Checkpoint> found = search.checkpoint();
        if (found.isEmpty()) {
            return new Position(start, new ArrayList<>(), EngineProgress.START, Map.of(), Map.of());
        }
        Checkpoint checkpoint = found.get();
        progress.note("%s goes on from %s".formatted(step.key(), checkpoint.folder()));
        ObjectMapper json = new ObjectMapper();
        JsonNode state = checkpoint.state();
        return new Position(
                start.later(checkpoint.step()),
                files(checkpoint),
                json.convertValue(state.get("progress"), EngineProgress.class),
                numbers(state.path("before")),
                numbers(state.path("after")));
    }

    /** The files that hold the position's state, if they are whole yet. */
    private static ArrayList<String> resumed(Position position, PendingCheckpoints pending) {
        return pending.committed()
                .filter(checkpoint -> checkpoint.step() == position.state().version())
                .map(SupervisedStep::files)
                .orElse(position.resume());
    }

    private static ArrayList<String> files(Checkpoint checkpoint) {
        return checkpoint.tensorFiles(ChunkTask.TENSORS).stream()
                .map(Path::toString)
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private static Map<String, Double> numbers(JsonNode object) {
        Map<String, Double> numbers = new TreeMap<>();
        object.fields()
                .forEachRemaining(
                        entry -> numbers.put(entry.getKey(), entry.getValue().asDouble()));
        return numbers;
    }

    private Position chunk(
            Position position,
            RowOrder order,
            int batchSize,
            long steps,
            List<R> heldOut,
            String export,
            MetricsLog log,
            PendingCheckpoints pending) {
        long from = position.state().version();
        long to = Math.min(steps, from + config.checkpoints().everySteps());
        ArrayList<ArrayList<R>> batches = batches(order, from, to, batchSize);
        store.begin(to);
        AtomicLong told = new AtomicLong(from);
        Consumer<LinkedHashMap<String, Double>> tell =
                metrics -> progress.advance(step.key(), told.incrementAndGet(), metrics);
        List<ChunkResult> results;
        try (LiveReports<LinkedHashMap<String, Double>> reports = new LiveReports<>(context, tell)) {
            ChunkTask<R> task = new ChunkTask<>(
                    ConfigFile.write(config),
                    step,
                    position.state(),
                    steps,
                    resumed(position, pending),
                    position.progress(),
                    batches,
                    new ArrayList<>(heldOut),
                    evaluations(from, to, steps, heldOut),
                    to == steps ? export : "",
                    reports.sender(),
                    new SerializableConfiguration(hadoop),
                    folder.fence());
            results = job.run(step.key(), position.state(), ChunkResult.class, task);
            stragglers.look(
                    task.what(),
                    results.stream().mapToDouble(SupervisedStep::busySeconds).toArray());
        }
        return record(position, results, told.get(), log, pending);
    }

    /** What a rank has spent on its steps without waiting for others. */
    private static double busySeconds(ChunkResult result) {
        return result.metrics().stream()
                .mapToDouble(step -> step.get("seconds") - step.getOrDefault("seconds_communicate", 0.0))
                .sum();
    }

    /** Before the first step, after the last, and in between as often as the configuration says. */
    private ArrayList<Long> evaluations(long from, long to, long steps, List<R> heldOut) {
        int every = config.evaluation().everySteps();
        ArrayList<Long> positions = new ArrayList<>();
        for (long position = from == 0 ? 0 : from + 1; position <= to && !heldOut.isEmpty(); position++) {
            if (position == 0 || position == steps || (every > 0 && position % every == 0)) {
                positions.add(position);
            }
        }
        return positions;
    }

    private ArrayList<ArrayList<R>> batches(RowOrder order, long from, long to, int batchSize) {
        List<R> all = rows.apply(order.take(from * batchSize, Math.toIntExact((to - from) * batchSize)));
        ArrayList<ArrayList<R>> batches = new ArrayList<>();
        for (int start = 0; start < all.size(); start += batchSize) {
            batches.add(new ArrayList<>(all.subList(start, start + batchSize)));
        }
        return batches;
    }

    /** Metrics first, then the checkpoint: no committed step lacks its metrics. */
    private Position record(
            Position position, List<ChunkResult> results, long told, MetricsLog log, PendingCheckpoints pending) {
        ChunkResult result = results.get(0);
        long version = position.state().version();
        Map<String, Double> before = result.evaluations().getOrDefault(0L, position.before());
        for (Map<String, Double> metrics : result.metrics()) {
            version++;
            log.append(step, "train", version, metrics);
            if (version > told) {
                progress.advance(step.key(), version, metrics);
            }
        }
        result.evaluations().forEach((at, values) -> log.append(step, "evaluation", at, values));
        log.flush();
        Map<String, Double> after = result.evaluations().getOrDefault(version, Map.of());
        ObjectMapper json = new ObjectMapper();
        JsonNode state = json.createObjectNode()
                .<ObjectNode>set("progress", json.valueToTree(result.progress()))
                .<ObjectNode>set("before", json.valueToTree(before))
                .set("after", json.valueToTree(after));
        pending.add(version, results.size(), state);
        return new Position(
                position.state().later(result.metrics().size()), new ArrayList<>(), result.progress(), before, after);
    }
}
