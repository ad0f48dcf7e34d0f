package io.rlhf4j.run;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Where the files of a run lie, on any Hadoop file system.
 *
 * <pre>
 * runs/&lt;name&gt;/ manifest.json  config.yaml  status.json  refused.json  metrics.jsonl  lease/
 *              {sft,reward,ppo}/checkpoints/
 *              weights/version=&lt;8 digits&gt;/
 *              rollouts/iteration=&lt;8 digits&gt;/*.parquet
 *              export/{sft,reward,actor,critic,actor-ema}/
 *              answers/  tensorboard/{sft,reward,ppo}/  report.html
 * </pre>
 */
public final class RunFolder {
    private final Path root;
    private final SmallFiles files;

    /** A folder to read, or to write where nobody else does. */
    public RunFolder(Path root, Configuration hadoop) {
        this(root, hadoop, Fence.open());
    }

    /** A folder that is written by whom {@code fence} lets pass. */
    public RunFolder(Path root, Configuration hadoop, Fence fence) {
        this.root = root;
        this.files = new SmallFiles(hadoop, fence);
    }

    /** The folder of the run that {@code config} names, to read. */
    public static RunFolder of(RunConfig config, Configuration hadoop) {
        return new RunFolder(new Path(config.path()), hadoop);
    }

    /** The folder of the run that {@code config} names, written by whom {@code fence} lets pass. */
    public static RunFolder of(RunConfig config, Configuration hadoop, Fence fence) {
        return new RunFolder(new Path(config.path()), hadoop, fence);
    }

    /** Who may write. */
    public Fence fence() {
        return files.fence();
    }

    /** The small files of the run, which are written by whom the folder's fence lets pass. */
    public SmallFiles files() {
        return files;
    }

    public Path root() {
        return root;
    }

    /** What the run is: {@link RunManifest}. */
    public Path manifest() {
        return new Path(root, "manifest.json");
    }

    /** The whole configuration, presets included. */
    public Path config() {
        return new Path(root, "config.yaml");
    }

    /** How the run stands: {@link RunStatus}. */
    public Path status() {
        return new Path(root, "status.json");
    }

    /** The last start that was refused because it did not fit the run: {@link RunStatus}. */
    public Path refusal() {
        return new Path(root, "refused.json");
    }

    /** Who may write the run: {@link io.rlhf4j.run.lease.RunLease}. */
    public Path lease() {
        return new Path(root, "lease");
    }

    /** One line for each row of {@link MetricsLog}. */
    public Path metrics() {
        return new Path(root, "metrics.jsonl");
    }

    /** The same for TensorBoard, whose {@code --logdir} it is: a directory for each step. */
    public Path tensorBoard() {
        return new Path(root, "tensorboard");
    }

    /** The run at a glance, for a browser. */
    public Path report() {
        return new Path(root, "report.html");
    }

    /** Answers to some held-out prompts, as an evaluation saw them. */
    public Path answers(Step step, long position) {
        return new Path(root, "answers/" + numbered(step.key() + "-", position) + ".json");
    }

    /** Tokenized rows of all steps. */
    public Path data() {
        return new Path(root, "data");
    }

    /** What makes the tokenized rows whole; written last. */
    public Path dataManifest() {
        return new Path(data(), "manifest.json");
    }

    /** Checkpoints of a step. */
    public Path checkpoints(Step step) {
        return new Path(root, step.key() + "/checkpoints");
    }

    /** What a step came to; there when it is done. */
    public Path result(Step step) {
        return new Path(root, step.key() + "/result.json");
    }

    /** All published weights. */
    public Path weights() {
        return new Path(root, "weights");
    }

    /** One version of the published weights. */
    public Path weights(long version) {
        return new Path(weights(), numbered("version=", version));
    }

    /** All rollouts. */
    public Path rollouts() {
        return new Path(root, "rollouts");
    }

    /** The rollouts of one iteration. */
    public Path rollouts(long iteration) {
        return new Path(rollouts(), numbered("iteration=", iteration));
    }

    /** All Hugging Face directories of the run. */
    public Path exports() {
        return new Path(root, "export");
    }

    /** A Hugging Face directory: {@code sft}, {@code reward}, {@code actor}, {@code critic}, {@code actor-ema}. */
    public Path export(String model) {
        return new Path(exports(), model);
    }

    /** Whether the run has begun: its manifest is there. */
    public boolean begun() throws IOException {
        return files.exists(manifest());
    }

    /** Keeps the whole configuration. */
    public void writeConfig(RunConfig config) throws IOException {
        files.write(config(), ConfigFile.write(config));
    }

    /** The configuration that the run was started with last; empty for a run that has none. */
    public Optional<RunConfig> readConfig() throws IOException {
        Optional<String> text = files.read(config());
        return text.map(yaml -> ConfigFile.read(yaml, config().toString(), List.of()));
    }

    /** Keeps what the run is. */
    public void writeManifest(RunManifest manifest) throws IOException {
        files.write(manifest(), RunJson.write(manifest));
    }

    /** What the run is; empty for one that has not begun. */
    public Optional<RunManifest> readManifest() throws IOException {
        Optional<String> text = files.read(manifest());
        return text.map(json -> RunJson.read(json, RunManifest.class, manifest()));
    }

    /** Keeps how the run stands. */
    public void writeStatus(RunStatus status) {
        files.write(status(), RunJson.write(status));
    }

    /** How the run stands; empty for one that has not begun. */
    public Optional<RunStatus> readStatus() throws IOException {
        return read(status());
    }

    /** Keeps that a start was refused, beside the status, which tells of the run. */
    public void writeRefusal(RunStatus refused) {
        files.write(refusal(), RunJson.write(refused));
    }

    /** The last start that was refused; mostly empty. */
    public Optional<RunStatus> readRefusal() throws IOException {
        return read(refusal());
    }

    private Optional<RunStatus> read(Path file) throws IOException {
        return files.read(file).map(json -> RunJson.read(json, RunStatus.class, file));
    }

    /** The metrics of the run so far, to read and to go on with. */
    public MetricsLog openMetrics() throws IOException {
        return MetricsLog.open(metrics(), files, new TensorBoardFolder(tensorBoard(), files));
    }

    private static String numbered(String prefix, long number) {
        return prefix + String.format(Locale.ROOT, "%08d", number);
    }

    @Override
    public String toString() {
        return root.toString();
    }
}
