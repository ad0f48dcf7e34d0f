package io.rlhf4j.config;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says what a key of the configuration means, what it is when nobody sets it, and which values it may have. Reading,
 * checking and the reference page all follow from this annotation, so that they cannot disagree.
 *
 * <p>The key in a file is the component's name in small letters with underscores: {@code maxPromptTokens} is {@code
 * max_prompt_tokens}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Doc {
    /** Stands for "has to be given": the value of {@link #preset} that no configuration can contain. */
    String REQUIRED = "\0required";

    /** Stands for "the parts of the value have presets of their own", or empty for lists, maps and optional values. */
    String PARTS = "\0parts";

    /** What the key means, with its unit; one or two sentences. */
    String value();

    /** The value when none is given, as YAML. For a nested record: the presets that differ here from the record's own. */
    String preset() default PARTS;

    /** The numbers allowed, as an interval: {@code [0, 1)}, {@code (0, inf)}. Empty allows all. */
    String range() default "";
}
