package io.rlhf4j.driver.command;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * One run of the program within this JVM.
 *
 * @param exitCode what the process would have ended with
 * @param out what it printed as results
 * @param err what it printed as messages
 */
record ToolRun(int exitCode, String out, String err) {
    /** Runs with nothing to read. */
    static ToolRun of(String... arguments) {
        return reading("", arguments);
    }

    /** Runs with {@code input} typed in. */
    static ToolRun reading(String input, String... arguments) {
        return of(input, new ByteArrayOutputStream(), arguments);
    }

    /** Runs while {@code heard} is told each line of messages, on the thread that prints it. */
    static ToolRun heard(Consumer<String> heard, String... arguments) {
        return of(
                "",
                new ByteArrayOutputStream() {
                    private int told;

                    @Override
                    public synchronized void write(byte[] bytes, int offset, int length) {
                        super.write(bytes, offset, length);
                        String all = toString(StandardCharsets.UTF_8);
                        for (int end = all.indexOf('\n', told); end >= 0; end = all.indexOf('\n', told)) {
                            String line = all.substring(told, end).strip();
                            told = end + 1;
                            heard.accept(line);
                        }
                    }
                },
                arguments);
    }

    private static ToolRun of(String input, ByteArrayOutputStream err, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Terminal terminal = Terminal.of(
                new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false);
        int exitCode = CommandLineTool.run(terminal, arguments);
        return new ToolRun(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
