package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The functions that templates may call: Jinja's own, and those that transformers adds. */
final class Functions {
    private static final int RANGE_LIMIT = 100_000;
    private static final Pattern DIRECTIVE = Pattern.compile("%(.)", Pattern.DOTALL);

    /** Each by its name. */
    static final Map<String, Object> ALL = Map.of(
            "raise_exception",
                    (Callable) (given, named) -> {
                        throw new InterpretException(Python.text(given.get(0)));
                    },
            "strftime_now", (Callable) (given, named) -> today(Python.text(given.get(0)), LocalDateTime.now()),
            "range", (Callable) (given, named) -> range(given),
            "namespace", (Callable) (given, named) -> new Namespace(merged(given, named)),
            "dict", (Callable) (given, named) -> new LinkedHashMap<Object, Object>(merged(given, named)));

    private Functions() {}

    private static Map<String, Object> merged(List<Object> given, Map<String, Object> named) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Object each : given) {
            ((Map<?, ?>) each).forEach((name, value) -> values.put(Python.text(name), value));
        }
        values.putAll(named);
        return values;
    }

    private static Object range(List<Object> given) {
        long from = given.size() > 1 ? Operators.integer(given.get(0)) : 0;
        long to = Operators.integer(given.get(given.size() > 1 ? 1 : 0));
        long by = given.size() > 2 ? Operators.integer(given.get(2)) : 1;
        List<Object> numbers = new ArrayList<>();
        for (long i = from; by > 0 ? i < to : i > to; i += by) {
            if (by == 0 || numbers.size() >= RANGE_LIMIT) {
                throw new InterpretException("range(%d, %d, %d) is too big".formatted(from, to, by));
            }
            numbers.add(i);
        }
        return View.lasting(numbers);
    }

    /** A time by the directives of strftime. */
    static String today(String format, LocalDateTime time) {
        Map<String, String> patterns = new HashMap<>(Map.of(
                "d", "dd", "b", "MMM", "B", "MMMM", "Y", "yyyy", "m", "MM", "H", "HH", "M", "mm", "S", "ss", "y", "yy",
                "A", "EEEE"));
        patterns.putAll(Map.of("a", "EEE", "I", "hh", "p", "a", "j", "DDD", "F", "yyyy-MM-dd", "T", "HH:mm:ss"));
        return DIRECTIVE.matcher(format).replaceAll(found -> {
            String directive = found.group(1);
            if (directive.equals("%")) {
                return "%";
            }
            if (!patterns.containsKey(directive)) {
                throw new InterpretException(
                        "the directive '%s' of strftime_now is not supported in chat templates".formatted(directive));
            }
            return Matcher.quoteReplacement(DateTimeFormatter.ofPattern(patterns.get(directive), Locale.ENGLISH)
                    .format(time));
        });
    }
}
