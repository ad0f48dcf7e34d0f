package io.rlhf4j.driver.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.driver.chat.ChatModel;
import io.rlhf4j.driver.spark.HadoopSettings;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.generation.Generation;
import io.rlhf4j.sampling.RandomStream;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rlhf4j generate}. */
@Command(
        name = "generate",
        description = "Answers prompts: those given, or those of a file, to JSON lines.",
        mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
    /** Prompts that are answered before the next lines of a file are read. */
    private static final int CHUNK = 256;

    /** What some editors put before the text of a file. */
    private static final String BYTE_ORDER_MARK = "\ufeff";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Terminal terminal;
    private final Interrupts interrupts;

    @Mixin
    private ModelOptions options;

    @Option(
            names = {"-i", "--input"},
            paramLabel = "FILE",
            description = "Prompts: JSON lines with the key of --prompt-key, or plain text with one prompt a line.")
    private String input;

    @Option(
            names = "--prompt-key",
            paramLabel = "KEY",
            description = "Key of the prompt in JSON lines; 'prompt' by default.")
    private String promptKey = "prompt";

    @Option(
            names = "--plain",
            description = "Go on with the prompt's text as it is, without the model's chat template.")
    private boolean plain;

    @Option(names = "--system", paramLabel = "TEXT", description = "System message for the chat template.")
    private String system;

    @Option(names = "--json", description = "Print JSON lines with token ids, log-probabilities and finish reason.")
    private boolean json;

    @Parameters(paramLabel = "PROMPT", description = "Prompts.")
    private List<String> prompts = new ArrayList<>();

    GenerateCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        this.interrupts = interrupts;
    }

    @Override
    public Integer call() throws IOException {
        if (prompts.isEmpty() && input == null) {
            throw Rlhf4jException.configuration("there is nothing to answer: give prompts, or a file with --input");
        }
        SamplingConfig sampling = options.sampling();
        try (ChatModel model = options.load(terminal, HadoopSettings.ofProcess())) {
            RandomStream stream = options.stream();
            long answered = answer(model, sampling, stream, prompts, 0);
            if (input != null) {
                answerFile(model, sampling, stream, answered);
            }
        }
        return 0;
    }

    private void answerFile(ChatModel model, SamplingConfig sampling, RandomStream stream, long before)
            throws IOException {
        Path file = new Path(input);
        FileSystem system = file.getFileSystem(HadoopSettings.ofProcess());
        long answered = before;
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(system.open(file), StandardCharsets.UTF_8))) {
            List<String> chunk = new ArrayList<>();
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                line = number == 1 && line.startsWith(BYTE_ORDER_MARK) ? line.substring(1) : line;
                if (!line.isBlank()) {
                    chunk.add(prompt(line, number));
                }
                if (chunk.size() == CHUNK) {
                    answered = answer(model, sampling, stream, chunk, answered);
                    chunk.clear();
                }
            }
            answered = answer(model, sampling, stream, chunk, answered);
        } catch (FileNotFoundException e) {
            throw Rlhf4jException.configuration("--input: there is no file '%s'".formatted(input));
        }
        if (answered == before) {
            throw Rlhf4jException.data("%s: holds no prompt".formatted(input));
        }
    }

    private String prompt(String line, int number) {
        if (!line.stripLeading().startsWith("{")) {
            return line;
        }
        try {
            JsonNode prompt = JSON.readTree(line).path(promptKey);
            if (prompt.isTextual()) {
                return prompt.asText();
            }
            throw Rlhf4jException.data("%s:%d: there is no text under '%s'; name its key with --prompt-key"
                    .formatted(input, number, promptKey));
        } catch (JsonProcessingException e) {
            throw Rlhf4jException.data("%s:%d: is no JSON: %s".formatted(input, number, e.getOriginalMessage()), e);
        }
    }

    private long answer(
            ChatModel model, SamplingConfig sampling, RandomStream stream, List<String> texts, long answered) {
        interrupts.check();
        if (texts.isEmpty()) {
            return answered;
        }
        List<int[]> ids = texts.stream().map(text -> ids(model, text)).toList();
        List<Generation> answers =
                model.answer(ids, sampling, stream.at(answered), (request, sample, token) -> interrupts.check());
        for (int i = 0; i < answers.size(); i++) {
            print(model, texts.get(i), answers.get(i));
        }
        return answered + texts.size();
    }

    private int[] ids(ChatModel model, String text) {
        if (plain || !model.hasTemplate()) {
            return model.promptIds(text);
        }
        List<Map<String, String>> messages = new ArrayList<>();
        Optional.ofNullable(system).ifPresent(said -> messages.add(Map.of("role", "system", "content", said)));
        messages.add(Map.of("role", "user", "content", text));
        return model.promptIds(messages);
    }

    private void print(ChatModel model, String prompt, Generation answer) {
        if (!json) {
            terminal.out().println(model.text(answer));
            return;
        }
        ObjectNode line = JSON.createObjectNode();
        line.put("prompt", prompt);
        line.put("response", model.text(answer));
        line.put("finish_reason", answer.finishReason().name().toLowerCase(Locale.ROOT));
        line.set("response_ids", JSON.valueToTree(answer.ids()));
        line.set("log_probs", JSON.valueToTree(answer.logProbs()));
        terminal.out().println(line);
    }
}
