package io.rlhf4j.tokenizer.training;

import java.nio.charset.StandardCharsets;

/** GPT-2's way to write any byte as a printable character, so that a vocabulary is plain text. */
final class ByteAlphabet {
    private static final char[] CHARACTER_OF = characters();

    private ByteAlphabet() {}

    private static char[] characters() {
        char[] characters = new char[256];
        char next = 256;
        for (int value = 0; value < 256; value++) {
            boolean printable = value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xFF && value != 0xAD;
            characters[value] = printable ? (char) value : next++;
        }
        return characters;
    }

    /** The character of one byte. */
    static String of(int value) {
        return String.valueOf(CHARACTER_OF[value]);
    }

    /** The bytes of a text, each 0 to 255. */
    static int[] bytes(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        int[] bytes = new int[utf8.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = utf8[i] & 0xFF;
        }
        return bytes;
    }
}
