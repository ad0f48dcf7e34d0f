package io.rlhf4j.driver.supportdesk;

/** The languages that the desk's customers write in. */
public enum Language {
    ENGLISH,
    CHINESE;

    /** The language that most letters of {@code text} belong to; English where there are none. */
    public static Language of(String text) {
        long chinese = text.codePoints().filter(Character::isIdeographic).count();
        long latin =
                text.codePoints().filter(c -> c < 128 && Character.isLetter(c)).count();
        // A Chinese word is written with about two signs, an English one with about five letters.
        return chinese * 5 > latin * 2 ? CHINESE : ENGLISH;
    }

    /** The other language. */
    public Language other() {
        return this == ENGLISH ? CHINESE : ENGLISH;
    }
}
