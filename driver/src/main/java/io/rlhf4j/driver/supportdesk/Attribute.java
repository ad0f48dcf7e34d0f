package io.rlhf4j.driver.supportdesk;

import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a customer can ask about a product. A value is a number with the attribute's own unit. */
public enum Attribute {
    WARRANTY("warranty", "保修期", "months", "个月", 6, 12, 18, 24, 36, 48),
    BATTERY_LIFE("battery life", "续航时间", "hours", "小时", 5, 8, 10, 15, 20, 30),
    PRICE("price", "价格", "euros", "欧元", 19, 29, 45, 59, 79, 99),
    WEIGHT("weight", "重量", "grams", "克", 90, 150, 220, 350, 480, 600);

    private final String english;
    private final String chinese;
    private final String englishUnit;
    private final String chineseUnit;
    private final List<Integer> possibleValues;
    private final Pattern statedValue;

    Attribute(String english, String chinese, String englishUnit, String chineseUnit, Integer... values) {
        this.english = english;
        this.chinese = chinese;
        this.englishUnit = englishUnit;
        this.chineseUnit = chineseUnit;
        this.possibleValues = List.of(values);
        this.statedValue = Pattern.compile("(?<!\\d)(\\d{1,6}) ?(?:" + englishUnit + "|" + chineseUnit + ")");
    }

    /** The attribute's name in a language. */
    public String in(Language language) {
        return language == Language.ENGLISH ? english : chinese;
    }

    /** A value with its unit in a language. */
    public String value(int number, Language language) {
        return language == Language.ENGLISH ? number + " " + englishUnit : number + chineseUnit;
    }

    /** All values that a product can have. */
    public List<Integer> possibleValues() {
        return possibleValues;
    }

    /** The different numbers that {@code answer} states in this attribute's unit, in either language. */
    public Set<Integer> statedIn(String answer) {
        return statedValue
                .matcher(answer)
                .results()
                .map(match -> Integer.valueOf(match.group(1)))
                .collect(Collectors.toSet());
    }
}
