package io.rlhf4j.driver;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Which part of the driver knows which library. */
@AnalyzeClasses(packages = "io.rlhf4j.driver", importOptions = ImportOption.DoNotIncludeTests.class)
class DriverArchitectureTest {
    @ArchTest
    static final ArchRule theCommandLineIsOnlyASkin = noClasses()
            .that()
            .resideOutsideOfPackages("io.rlhf4j.driver", "io.rlhf4j.driver.command..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("picocli..", "io.rlhf4j.driver.command..");

    @ArchTest
    static final ArchRule onlyTheCommandLineEndsTheJvm = noClasses()
            .that()
            .resideOutsideOfPackages("io.rlhf4j.driver", "io.rlhf4j.driver.command..")
            .should()
            .callMethod(System.class, "exit", int.class);

    @ArchTest
    static final ArchRule theDriverKnowsTensorsNotArrays =
            noClasses().should().dependOnClassesThat().resideInAnyPackage("org.nd4j..", "org.deeplearning4j..");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("io.rlhf4j.driver.(*)..").should().beFreeOfCycles();
}
