package io.rlhf4j.driver.command;

import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.driver.chat.ChatModel;
import io.rlhf4j.driver.chat.Conversation;
import io.rlhf4j.driver.spark.HadoopSettings;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.sampling.RandomStream;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rlhf4j chat}. */
@Command(
        name = "chat",
        description = "A conversation with a model: /new begins anew, /exit or Ctrl-D ends.",
        mixinStandardHelpOptions = true)
final class ChatCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interrupts interrupts;

    @Mixin
    private ModelOptions options;

    @Option(names = "--system", paramLabel = "TEXT", description = "System message.")
    private String system;

    ChatCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        this.interrupts = interrupts;
    }

    @Override
    public Integer call() throws IOException {
        SamplingConfig sampling = options.sampling();
        try (ChatModel model = options.load(terminal, HadoopSettings.ofProcess())) {
            // Typing is waited for in a read that no interrupt ends, and there is nothing to lose here.
            interrupts.onStop(() -> Runtime.getRuntime().halt(130));
            terminal.err().println("%s; /new begins anew, /exit ends".formatted(options));
            converse(model, sampling);
        }
        return 0;
    }

    private void converse(ChatModel model, SamplingConfig sampling) throws IOException {
        Conversation conversation = new Conversation(Optional.ofNullable(system));
        long turn = 0;
        for (String line = ask(); line != null && !line.equals("/exit"); line = ask()) {
            if (line.equals("/new")) {
                conversation.clear();
            } else if (!line.isBlank()) {
                turn(model, sampling, conversation, line, options.stream().at(turn++));
            }
        }
    }

    /** A question and its answer. One that the model cannot read is told, and the conversation stays as it was. */
    private void turn(
            ChatModel model, SamplingConfig sampling, Conversation conversation, String line, RandomStream stream) {
        conversation.user(line);
        try {
            conversation.assistant(reply(model, sampling, conversation, stream));
        } catch (Rlhf4jException unreadable) {
            if (unreadable.kind() != ErrorKind.DATA) {
                throw unreadable;
            }
            conversation.takeBack();
            terminal.err().println("note: %s, or begin anew with /new".formatted(unreadable.getMessage()));
        }
    }

    private String ask() throws IOException {
        terminal.err().print("> ");
        terminal.err().flush();
        return terminal.in().readLine();
    }

    private String reply(ChatModel model, SamplingConfig sampling, Conversation conversation, RandomStream stream) {
        int[] prompt = model.promptIds(conversation.messages());
        String answer = model.answer(prompt, sampling, stream, piece -> {
            terminal.out().print(piece);
            terminal.out().flush();
        });
        terminal.out().println();
        return answer;
    }
}
