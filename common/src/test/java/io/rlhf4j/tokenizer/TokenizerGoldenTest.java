package io.rlhf4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.rlhf4j.golden.GoldenFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.apache.hadoop.conf.Configuration;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ids, tokens, offsets, masks and decoded text of every golden tokenizer. */
class TokenizerGoldenTest {
    static List<Path> folders() {
        return GoldenFolder.cases("tokenizers");
    }

    @ParameterizedTest
    @MethodSource("folders")
    void everyTextHasTheReferencesTokens(Path folder) throws IOException {
        SoftAssertions soft = new SoftAssertions();
        try (Tokenizer tokenizer = load(folder)) {
            for (JsonNode row : GoldenFolder.jsonLines(folder.resolve("cases.jsonl"))) {
                String text = row.get("text").textValue();
                Encoding encoding = tokenizer.encode(text, true);
                soft.assertThat(encoding.ids()).as(text).containsExactly(ints(row.get("ids")));
                soft.assertThat(encoding.tokens())
                        .as(text)
                        .containsExactly(StreamSupport.stream(row.get("tokens").spliterator(), false)
                                .map(JsonNode::textValue)
                                .toArray(String[]::new));
                for (int i = 0; i < encoding.ids().length; i++) {
                    soft.assertThat(List.of(encoding.starts()[i], encoding.ends()[i]))
                            .as("token %d of %s", i, text)
                            .containsExactly(
                                    row.get("offsets").get(i).get(0).intValue(),
                                    row.get("offsets").get(i).get(1).intValue());
                    soft.assertThat(encoding.special()[i])
                            .as("token %d of %s", i, text)
                            .isEqualTo(row.get("special_tokens_mask").get(i).intValue() == 1);
                }
                soft.assertThat(tokenizer.ids(text, true)).as(text).containsExactly(ints(row.get("ids")));
                soft.assertThat(tokenizer.ids(text, false)).as(text).containsExactly(ints(row.get("ids_no_special")));
            }
        }
        soft.assertAll();
    }

    @ParameterizedTest
    @MethodSource("folders")
    void everyListOfTokensHasTheReferencesText(Path folder) throws IOException {
        SoftAssertions soft = new SoftAssertions();
        try (Tokenizer tokenizer = load(folder)) {
            for (JsonNode row : GoldenFolder.jsonLines(folder.resolve("cases.jsonl"))) {
                int[] ids = ints(row.get("ids"));
                soft.assertThat(tokenizer.decode(ids, true))
                        .isEqualTo(row.get("decoded").textValue());
                soft.assertThat(tokenizer.decode(ids, false))
                        .isEqualTo(row.get("decoded_with_special").textValue());
                for (int i = 0; i < ids.length; i++) {
                    soft.assertThat(tokenizer.decode(new int[] {ids[i]}, false))
                            .isEqualTo(row.get("decoded_each").get(i).textValue());
                }
            }
        }
        soft.assertAll();
    }

    @ParameterizedTest
    @MethodSource("folders")
    void streamedPiecesAreWholeCharactersAndTogetherTheText(Path folder) throws IOException {
        try (Tokenizer tokenizer = load(folder)) {
            List<Integer> all = new ArrayList<>();
            for (JsonNode row : GoldenFolder.jsonLines(folder.resolve("cases.jsonl"))) {
                int[] ids = ints(row.get("ids"));
                assertStreams(tokenizer, ids);
                for (int id : ints(row.get("ids_no_special"))) {
                    all.add(id);
                }
            }
            assertStreams(tokenizer, all.stream().mapToInt(Integer::intValue).toArray());
        }
    }

    private static void assertStreams(Tokenizer tokenizer, int[] ids) {
        for (boolean skipSpecial : new boolean[] {true, false}) {
            StreamingDecoder decoder = tokenizer.streamingDecoder(skipSpecial);
            StringBuilder text = new StringBuilder();
            String whole = tokenizer.decode(ids, skipSpecial);
            for (int id : ids) {
                String piece = decoder.add(id);
                if (!piece.isEmpty()) {
                    assertThat(Character.isHighSurrogate(piece.charAt(piece.length() - 1)))
                            .isFalse();
                }
                text.append(piece);
                assertThat(whole).startsWith(text);
            }
            assertThat(text + decoder.finish()).isEqualTo(whole);
        }
    }

    private static Tokenizer load(Path folder) throws IOException {
        return Tokenizer.load(new org.apache.hadoop.fs.Path(folder.toUri()), new Configuration());
    }

    private static int[] ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
    }
}
