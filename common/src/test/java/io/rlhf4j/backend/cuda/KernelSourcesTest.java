package io.rlhf4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the kernels' sources promise each other; it needs no GPU. */
class KernelSourcesTest {
    private static final Pattern KERNEL =
            Pattern.compile("__global__ void[^{]*?(\\w+)\\([^{]*\\{(.*?)\n}", Pattern.DOTALL);

    static Stream<Path> files() throws IOException {
        Path folder = Path.of("src/main/resources/io/rlhf4j/backend/cuda");
        return Files.list(folder).filter(file -> file.toString().endsWith(".cu"));
    }

    /** In a recorded pass a kernel begins while the one before still runs. */
    @ParameterizedTest
    @MethodSource("files")
    void everyKernelWaitsForTheOneBefore(Path file) throws IOException {
        List<MatchResult> kernels =
                KERNEL.matcher(Files.readString(file)).results().toList();
        assertThat(kernels).isNotEmpty();
        for (MatchResult kernel : kernels) {
            String body = kernel.group(2);
            int wait = Math.max(body.indexOf("takeTurn();"), body.indexOf("waitForEarlier();"));
            int leaves = body.indexOf("return;");
            assertThat(wait).as("%s in %s", kernel.group(1), file.getFileName()).isNotNegative();
            assertThat(leaves < 0 || wait < leaves)
                    .as("%s in %s leaves before it waits", kernel.group(1), file.getFileName())
                    .isTrue();
        }
    }
}
