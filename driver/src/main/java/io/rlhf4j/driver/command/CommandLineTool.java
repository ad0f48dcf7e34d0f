package io.rlhf4j.driver.command;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program's command line. */
@Command(
        name = "rlhf4j",
        description = "RLHF on Apache Spark: supervised fine-tuning, reward model, PPO.",
        mixinStandardHelpOptions = true,
        versionProvider = Versions.class,
        subcommands = {
            QuickstartCommand.class,
            PipelineCommand.class,
            SftCommand.class,
            RewardCommand.class,
            PpoCommand.class,
            GenerateCommand.class,
            ChatCommand.class,
            PlanCommand.class,
            DataCommand.class,
            InspectCommand.class,
            SqlCommand.class,
            CheckpointCommand.class,
            WaitCommand.class,
            NetworkCommand.class,
            BenchCommand.class
        },
        footer = {
            "",
            "Exit codes: 0 done, 2 bad configuration, 3 bad data, 4 the machine or cluster cannot run this,",
            "            5 failed but worth a new try, 130 interrupted."
        })
public final class CommandLineTool implements Runnable {
    @Spec
    private CommandSpec spec;

    private CommandLineTool() {}

    /**
     * Runs a command on the streams of this process, of which the error stream is then for the user alone.
     *
     * @return the exit code; nothing is thrown
     */
    public static int runProcess(String... arguments) {
        Terminal terminal = Terminal.ofProcess();
        LogFile.prepare();
        LoggedErrors.begin();
        return run(terminal, arguments);
    }

    /**
     * Runs one command.
     *
     * @return the exit code; nothing is thrown
     */
    public static int run(Terminal terminal, String... arguments) {
        LogFile.prepare();
        try (Interrupts interrupts = Interrupts.handle(terminal)) {
            CommandLine line = new CommandLine(new CommandLineTool(), factory(terminal, interrupts));
            line.setOut(new java.io.PrintWriter(terminal.out(), true));
            line.setErr(new java.io.PrintWriter(terminal.err(), true));
            line.setCaseInsensitiveEnumValuesAllowed(true);
            line.setExecutionExceptionHandler((thrown, command, parsed) -> Failures.report(thrown, terminal));
            return line.execute(arguments);
        } catch (Error fatal) {
            // Picocli hands over exceptions only; memory that ran out is to end in order too.
            return Failures.report(fatal, terminal);
        }
    }

    /** Commands are made with the terminal and the interrupts where their constructor asks for them. */
    private static IFactory factory(Terminal terminal, Interrupts interrupts) {
        IFactory plain = CommandLine.defaultFactory();
        return new IFactory() {
            @Override
            public <K> K create(Class<K> type) throws Exception {
                try {
                    return type.getDeclaredConstructor(Terminal.class, Interrupts.class)
                            .newInstance(terminal, interrupts);
                } catch (NoSuchMethodException e) {
                    return plain.create(type);
                }
            }
        };
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }
}
