package io.rlhf4j.driver.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.CollectionAccumulator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class LiveReportsTest {
    /** Tasks run in this JVM: what holds one until its reports were heard. */
    private static final CountDownLatch HEARD = new CountDownLatch(3);

    private static SparkSession session;

    @BeforeAll
    static void start() {
        session = LocalSpark.start(1);
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void whatATaskReportsIsHeardOnceAndInOrderWhileItStillWorks() {
        JavaSparkContext context = JavaSparkContext.fromSparkContext(session.sparkContext());
        List<Integer> heard = new ArrayList<>();
        try (LiveReports<Integer> reports = new LiveReports<>(context, report -> {
            heard.add(report);
            HEARD.countDown();
        })) {
            CollectionAccumulator<Integer> sender = reports.sender();
            List<Boolean> inTime = context.parallelize(List.of(1), 1)
                    .map(ignored -> {
                        for (int report = 1; report <= 3; report++) {
                            sender.add(report);
                        }
                        return HEARD.await(60, TimeUnit.SECONDS);
                    })
                    .collect();
            assertThat(inTime).containsExactly(true);
            assertThat(reports.heard()).isEqualTo(3);
        }
        assertThat(heard).containsExactly(1, 2, 3);
    }
}
