package io.rlhf4j.driver;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.rlhf4j.config.RunConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A key that nothing reads is a promise that nobody keeps. */
class ConfigurationKeysTest {
    /** What a record does with every component tells nothing. */
    private static final Set<String> OWN = Set.of("findings", "toString", "hashCode", "equals", "<init>");

    /** Read from the file itself: it says what stands where the file says nothing. */
    private static final String PROFILE = "RunConfig.profile";

    @Test
    void everyKeyOfTheConfigurationIsReadByTheProgram() {
        List<String> unread = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages("io.rlhf4j").stream()
                        .filter(type -> type.getPackageName().equals(RunConfig.class.getPackageName()))
                        .filter(type -> type.reflect().isRecord())
                        .flatMap(ConfigurationKeysTest::accessors)
                        .filter(accessor -> !isRead(accessor))
                        .map(accessor -> accessor.getOwner().getSimpleName() + "." + accessor.getName())
                        .sorted()
                        .toList();
        assertThat(unread).containsExactly(PROFILE);
    }

    private static Stream<JavaMethod> accessors(JavaClass section) {
        return Arrays.stream(section.reflect().getRecordComponents())
                .map(component -> section.getMethod(component.getName()));
    }

    /** By its accessor, by that of an interface, or in a method of the record that says something about it. */
    private static boolean isRead(JavaMethod accessor) {
        JavaClass section = accessor.getOwner();
        return accessor.getCallsOfSelf().stream().anyMatch(call -> counts(call.getOrigin(), accessor))
                || section.getField(accessor.getName()).getAccessesToSelf().stream()
                        .anyMatch(access -> counts(access.getOrigin(), accessor))
                || section.getAllRawInterfaces().stream()
                        .flatMap(type -> type.tryGetMethod(accessor.getName()).stream())
                        .anyMatch(method -> !method.getCallsOfSelf().isEmpty());
    }

    private static boolean counts(JavaCodeUnit reader, JavaMethod accessor) {
        return !reader.equals(accessor)
                && !(reader.getOwner().equals(accessor.getOwner()) && OWN.contains(reader.getName()));
    }
}
