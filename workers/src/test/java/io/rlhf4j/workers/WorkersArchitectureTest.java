package io.rlhf4j.workers;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What runs in an executor knows nothing of the driver, and its trainers nothing of Spark. */
@AnalyzeClasses(packages = "io.rlhf4j.workers", importOptions = ImportOption.DoNotIncludeTests.class)
class WorkersArchitectureTest {
    @ArchTest
    static final ArchRule workersKnowNothingOfTheDriver =
            noClasses().should().dependOnClassesThat().resideInAPackage("io.rlhf4j.driver..");

    @ArchTest
    static final ArchRule whatARankDoesIsPlainJava = noClasses()
            .that()
            .resideInAnyPackage(
                    "io.rlhf4j.workers.collective..",
                    "io.rlhf4j.workers.checkpoint..",
                    "io.rlhf4j.workers.engine..",
                    "io.rlhf4j.workers.rollout..",
                    "io.rlhf4j.workers.training..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.spark..", "scala..")
            .because("it is tested as threads of one JVM; Spark's classes place the ranks");

    @ArchTest
    static final ArchRule workersKnowTensorsNotArrays =
            noClasses().should().dependOnClassesThat().resideInAnyPackage("org.nd4j..", "org.deeplearning4j..");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("io.rlhf4j.workers.(*)..").should().beFreeOfCycles();
}
