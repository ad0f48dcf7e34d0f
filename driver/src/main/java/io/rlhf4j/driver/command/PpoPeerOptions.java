package io.rlhf4j.driver.command;

import io.rlhf4j.driver.bench.BenchModel;
import io.rlhf4j.driver.bench.BenchSettings;
import io.rlhf4j.driver.bench.PeerScript;
import io.rlhf4j.driver.bench.PpoBench;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options of the systems that an iteration of PPO is compared with where their own environments are given. */
final class PpoPeerOptions {
    @Option(
            names = "--trl-python",
            paramLabel = "COMMAND",
            description = "The Python that has TRL: its PPO trainer is compared too, with --trl-tokenizer.")
    private String trl;

    @Option(names = "--trl-tokenizer", paramLabel = "DIR", description = "Folder with the tokenizer that TRL is given.")
    private Path tokenizer;

    @Option(
            names = "--deepspeed-python",
            paramLabel = "COMMAND",
            description = {
                "The Python that has DeepSpeed: DeepSpeed-Chat is compared too, where the shape is opt-125m and the"
                        + " type bf16, with --deepspeed-chat and --deepspeed-work."
            })
    private String deepSpeed;

    @Option(names = "--deepspeed-chat", paramLabel = "DIR", description = "DeepSpeed-Chat itself.")
    private Path chat;

    @Option(
            names = "--deepspeed-work",
            paramLabel = "DIR",
            description = "Folder with what DeepSpeed-Chat's second step has made.")
    private Path work;

    /** The scripts that are run in turn with ours. */
    List<PeerScript> scripts(PpoBench bench, BenchModel shape, BenchSettings settings) {
        List<PeerScript> scripts = new ArrayList<>(bench.peers(shape, settings));
        if (trl != null) {
            scripts.add(bench.trl(shape, settings, trl, given(tokenizer, "--trl-python", "--trl-tokenizer")));
        }
        if (deepSpeed != null) {
            Path itself = given(chat, "--deepspeed-python", "--deepspeed-chat");
            Path made = given(work, "--deepspeed-python", "--deepspeed-work");
            if (!shape.name().equals("opt-125m") || settings.type() != DType.BF16) {
                throw Rlhf4jException.configuration(
                        "DeepSpeed-Chat is compared with --model opt-125m --dtype bf16 alone, not with %s in %s"
                                .formatted(shape.name(), settings.type()));
            }
            scripts.add(bench.deepSpeedChat(settings, deepSpeed, itself, made));
        }
        return scripts;
    }

    private static Path given(Path folder, String option, String beside) {
        if (folder == null) {
            throw Rlhf4jException.configuration("%s needs %s beside it".formatted(option, beside));
        }
        return folder.toAbsolutePath();
    }
}
