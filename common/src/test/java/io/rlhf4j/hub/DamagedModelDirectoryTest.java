package io.rlhf4j.hub;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.apache.hadoop.conf.Configuration;

/** JSON files of a model that are changed at random are refused by an error of ours or can be used, never anything else. */
class DamagedModelDirectoryTest {
    private static final List<String> FAMILIES = List.of(
            "bloom", "gemma2", "gpt2", "gptj", "gpt_neo", "gpt_neox", "llama3-rope", "mistral", "opt", "phi", "qwen3");
    private static final List<String> TOKENIZERS =
            List.of("bytelevel_bpe_gpt2", "sentencepiece_bpe_llama", "split_bpe_llama3", "unigram");

    private static Path folder;

    @BeforeContainer
    static void makeFolder() throws IOException {
        folder = Files.createTempDirectory("damaged");
    }

    @AfterContainer
    static void removeFolder() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** So many bytes at a place give way to others. */
    record Damage(double place, int removed, String inserted) {
        byte[] of(byte[] whole) {
            int from = (int) (place * whole.length);
            int to = Math.min(whole.length, from + removed);
            ByteArrayOutputStream damaged = new ByteArrayOutputStream();
            damaged.write(whole, 0, from);
            damaged.writeBytes(inserted.getBytes(StandardCharsets.ISO_8859_1));
            damaged.write(whole, to, whole.length - to);
            return damaged.toByteArray();
        }
    }

    @Provide
    Arbitrary<Damage> damages() {
        Arbitrary<String> inserted = Arbitraries.oneOf(
                Arbitraries.of("", "0", "99999999", "-", "null", "{", "]", "\"", "1e9", ".5", "[1]", "true,", "x"),
                Arbitraries.strings()
                        .withCharRange('\0', '\u00ff')
                        .ofMinLength(1)
                        .ofMaxLength(3));
        return Combinators.combine(
                        Arbitraries.doubles().between(0, true, 1, false),
                        Arbitraries.integers().between(0, 3),
                        inserted)
                .as(Damage::new);
    }

    @Property(tries = 200)
    void aConfiguration(@ForAll("damages") Damage damage) throws IOException {
        for (String family : FAMILIES) {
            Files.write(folder.resolve("config.json"), damage.of(resource("models", family, "config.json")));
            try {
                assertThat(new ModelDirectory(new Configuration(false))
                                .describe(new org.apache.hadoop.fs.Path(folder.toUri()))
                                .config())
                        .isNotNull();
            } catch (Rlhf4jException refused) {
                assertThat(refused).as(family).hasMessageContaining("config.json");
            }
        }
    }

    @Property(tries = 200)
    void aTokenizer(@ForAll("damages") Damage damage) throws IOException {
        for (String kind : TOKENIZERS) {
            Files.write(folder.resolve("tokenizer.json"), damage.of(resource("tokenizers", kind, "tokenizer.json")));
            try (Tokenizer tokenizer =
                    Tokenizer.load(new org.apache.hadoop.fs.Path(folder.toUri()), new Configuration(false))) {
                assertThat(tokenizer.decode(tokenizer.ids("Hello, wörld 123\n", true), false))
                        .isNotNull();
            } catch (Rlhf4jException refused) {
                assertThat(refused).as(kind).hasMessageContaining("tokenizer.json");
            }
        }
    }

    private static byte[] resource(String group, String name, String file) throws IOException {
        try {
            return Files.readAllBytes(Path.of(DamagedModelDirectoryTest.class
                    .getResource("/golden/" + group + "/" + name + "/" + file)
                    .toURI()));
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
