package io.rlhf4j.driver.data;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.DataConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.driver.data.MappedRow.Conversation;
import io.rlhf4j.driver.data.MappedRow.Preferred;
import io.rlhf4j.driver.data.MappedRow.Prompt;
import io.rlhf4j.driver.data.MappedRow.Prompted;
import io.rlhf4j.driver.data.MappedRow.Unlabelled;
import io.rlhf4j.driver.data.PreparedSchema.Facts;
import io.rlhf4j.driver.data.PreparedSchema.Origin;
import io.rlhf4j.tokenizer.ChatTemplate;
import io.rlhf4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;

/** Maps, divides and tokenizes the rows of one source; runs in the executors. */
final class PrepareRows implements FlatMapFunction<Iterator<RawRow>, Row> {
    private static final long serialVersionUID = 1L;

    private final String configuration;
    private final int sourceIndex;
    private final EnumMap<Step, RowLimits> limits;
    private final SerializableConfiguration hadoop;

    /** {@code configuration} travels as text, which every JVM reads in the same way. */
    PrepareRows(
            String configuration, int sourceIndex, EnumMap<Step, RowLimits> limits, SerializableConfiguration hadoop) {
        this.configuration = configuration;
        this.sourceIndex = sourceIndex;
        this.limits = limits;
        this.hadoop = hadoop;
    }

    @Override
    public Iterator<Row> call(Iterator<RawRow> rows) throws IOException {
        RunConfig config = ConfigFile.read(configuration, "the run's configuration", List.of());
        DataConfig data = config.data();
        SourceConfig source = data.sources().get(sourceIndex);
        List<Row> prepared = new ArrayList<>();
        try (Tokenizer tokenizer = PromptFormat.tokenizer(config, hadoop.value())) {
            Optional<ChatTemplate> template = PromptFormat.template(config, tokenizer, hadoop.value());
            EnumMap<Step, RowTokenizer> tokens = new EnumMap<>(Step.class);
            limits.forEach((step, limit) -> tokens.put(step, new RowTokenizer(tokenizer, data, limit, template)));
            Preparation preparation = new Preparation(config, source, tokens);
            while (rows.hasNext()) {
                preparation.prepare(rows.next(), prepared);
            }
        }
        return prepared.iterator();
    }

    /** The work on the rows of one source. */
    private final class Preparation {
        private final RunConfig config;
        private final String source;
        private final RowMapper mapper;
        private final RowUse use;
        private final EnumMap<Step, RowTokenizer> tokens;

        Preparation(RunConfig config, SourceConfig source, EnumMap<Step, RowTokenizer> tokens) {
            this.config = config;
            this.source = source.label();
            this.mapper = new RowMapper(source.columns());
            this.use = new RowUse(source, config.data().split(), config.seed());
            this.tokens = tokens;
        }

        void prepare(RawRow raw, List<Row> prepared) {
            Origin origin = new Origin(sourceIndex, source, raw.location());
            try {
                RowMapper.Mapped mapped = mapper.map(raw);
                String group = mapped.group().orElseGet(() -> "%016x"
                        .formatted(promptHash(mapped.rows().get(0))));
                int part = 0;
                for (MappedRow row : mapped.rows()) {
                    prepared.add(attempt(origin, raw, group, row, part++));
                }
            } catch (UnusableRowException unusable) {
                prepared.add(rejected(origin, raw, unusable));
            }
        }

        private Row attempt(Origin origin, RawRow raw, String group, MappedRow row, int part) {
            try {
                return tokenized(origin, group, row, part);
            } catch (UnusableRowException unusable) {
                return rejected(origin, raw, unusable);
            }
        }

        private Row rejected(Origin origin, RawRow raw, UnusableRowException why) {
            String status = why.dropped() ? PreparedSchema.DROPPED : PreparedSchema.UNUSABLE;
            return PreparedSchema.rejected(origin, status, why.getMessage(), raw.json());
        }

        private Row tokenized(Origin origin, String group, MappedRow row, int part) throws UnusableRowException {
            Step step = use.step(group);
            String suffix = use.heldOut(group) ? RowUse.HELD_OUT : "";
            boolean unlabelled = step == Step.PPO && row instanceof Unlabelled;
            Facts facts = facts(origin, (unlabelled ? RowUse.PTX : step.key()) + suffix, row, part);
            return switch (step) {
                case SFT -> PreparedSchema.used(origin, facts, training(row));
                case REWARD -> {
                    if (!(row instanceof Preferred pair)) {
                        throw UnusableRowException.unusable("it is no pair, which the reward step needs");
                    }
                    yield PreparedSchema.used(origin, facts, tokens.get(step).preferred(row.key(), source, pair));
                }
                case PPO ->
                    row instanceof Unlabelled text
                            ? PreparedSchema.used(
                                    origin, facts, tokens.get(step).unlabelled(row.key(), source, text.text()))
                            : PreparedSchema.used(
                                    origin,
                                    facts,
                                    tokens.get(step).prompt(row.key(), source, promptOf(row), referenceOf(row)));
            };
        }

        private TrainingRow training(MappedRow row) throws UnusableRowException {
            boolean all = config.sft().trainOnPrompt();
            RowTokenizer ofSft = tokens.get(Step.SFT);
            if (row instanceof Prompted prompted) {
                if (prompted.response().isEmpty()) {
                    throw UnusableRowException.unusable("it has no response, which the sft step needs");
                }
                return ofSft.answered(
                        row.key(),
                        source,
                        prompted.prompt(),
                        prompted.response().get(),
                        all);
            }
            if (row instanceof Preferred pair) {
                return ofSft.answered(row.key(), source, pair.prompt(), pair.chosen(), all);
            }
            if (row instanceof Conversation conversation) {
                return ofSft.conversation(row.key(), source, conversation);
            }
            return ofSft.unlabelled(row.key(), source, ((Unlabelled) row).text());
        }

        private Facts facts(Origin origin, String rowUse, MappedRow row, int part) {
            Long pair = null;
            if (row instanceof Preferred preferred) {
                long forward = StableHash.of(preferred.prompt().text(), preferred.chosen(), preferred.rejected());
                long backward = StableHash.of(preferred.prompt().text(), preferred.rejected(), preferred.chosen());
                pair = Math.min(forward, backward);
            }
            return new Facts(
                    StableHash.of(source, origin.location(), part),
                    rowUse,
                    StableHash.of(row.content().toArray()),
                    promptHash(row),
                    pair);
        }
    }

    /** Rows of one prompt stay together where no column says otherwise: none of them is held out while others train. */
    private static long promptHash(MappedRow row) {
        return row instanceof Unlabelled text
                ? StableHash.of(text.text())
                : StableHash.of(promptOf(row).messages());
    }

    private static Prompt promptOf(MappedRow row) {
        if (row instanceof Prompted prompted) {
            return prompted.prompt();
        }
        if (row instanceof Preferred pair) {
            return pair.prompt();
        }
        return RowTokenizer.lastPrompt((Conversation) row);
    }

    private static String referenceOf(MappedRow row) {
        if (row instanceof Prompted prompted) {
            return prompted.reference();
        }
        if (row instanceof Preferred pair) {
            return pair.reference();
        }
        return ((Conversation) row).reference();
    }
}
