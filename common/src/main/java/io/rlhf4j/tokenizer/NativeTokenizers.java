package io.rlhf4j.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.rlhf4j.error.Rlhf4jException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Map;

/**
 * Starts DJL's binding of the Hugging Face tokenizers library. Left to itself DJL reports each start to its makers, looks for
 * CUDA builds of the library to download, and takes over truncation and padding from tokenizer.json; none of it happens here.
 */
final class NativeTokenizers {
    private NativeTokenizers() {}

    static {
        setUnlessGiven("OPT_OUT_TRACKING", "true");
        setUnlessGiven("ai.djl.offline", "true");
        setUnlessGiven("RUST_FLAVOR", "cpu");
    }

    private static void setUnlessGiven(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /** A tokenizer that neither truncates nor pads. */
    static HuggingFaceTokenizer open(String origin, byte[] tokenizerJson) throws IOException {
        try {
            return HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(tokenizerJson), Map.of("truncation", "false", "padding", "false"));
        } catch (RuntimeException e) {
            throw Rlhf4jException.data(
                    "%s: the tokenizers library cannot read it: %s; is the file damaged, or of a newer format?"
                            .formatted(origin, e.getMessage()),
                    e);
        }
    }
}
