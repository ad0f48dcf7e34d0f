package io.rlhf4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaFieldAccess;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.Set;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** What the packages of this module may know of each other and of the libraries. */
@AnalyzeClasses(packages = "io.rlhf4j", importOptions = ImportOption.DoNotIncludeTests.class)
class CommonArchitectureTest {
    private static final String[] ND4J = {"org.nd4j..", "org.deeplearning4j.."};

    @ArchTest
    static final ArchRule commonHasNoSparkAndNothingFromAbove = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.spark..", "scala..", "io.rlhf4j.workers..", "io.rlhf4j.driver..")
            .because("it can be read, tested and embedded alone");

    @ArchTest
    static final ArchRule nd4jIsKnownOnlyWhereItIsThePoint = noClasses()
            .that()
            .resideOutsideOfPackages("io.rlhf4j.backend.nd4j..", "io.rlhf4j.optimizer..", "io.rlhf4j.reward..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(ND4J)
            .because("nothing above a backend may assume that an INDArray is underneath; the exceptions are ND4J's"
                    + " updaters and the DL4J network that gives rewards");

    @ArchTest
    static final ArchRule nativeLibrariesAreKnownOnlyToBackends = noClasses()
            .that()
            .resideOutsideOfPackages("io.rlhf4j.backend.cpu..", "io.rlhf4j.backend.cuda..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.bytedeco..", "com.sun.jna..", "jdk.incubator..");

    @ArchTest
    static final ArchRule backendsAreChosenNeverNamed = noClasses()
            .that()
            .resideOutsideOfPackage("io.rlhf4j.backend..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.rlhf4j.backend..")
            .because("the service loader finds them");

    @ArchTest
    static final ArchRule tensorsKnowOnlyThemselves = noClasses()
            .that()
            .resideInAPackage("io.rlhf4j.tensor..")
            .should()
            .dependOnClassesThat(inOurPackagesExcept("io.rlhf4j.tensor", "io.rlhf4j.error"));

    @ArchTest
    static final ArchRule backendsKnowOnlyTensors = noClasses()
            .that()
            .resideInAPackage("io.rlhf4j.backend..")
            .should()
            .dependOnClassesThat(inOurPackagesExcept("io.rlhf4j.tensor", "io.rlhf4j.error", "io.rlhf4j.backend"));

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("io.rlhf4j.(*)..").should().beFreeOfCycles();

    /** Bits: SVML gives other bits interpreted than compiled, and reduceLanes leaves the order to the compiler. */
    @ArchTest
    static final ArchRule kernelsUseOnlyLaneOperationsThatIeeeDefines = noClasses()
            .should()
            .accessFieldWhere(operatorWithoutExactBits())
            .orShould()
            .callMethodWhere(floatingReduction())
            .because("a restarted, interpreted JVM has to compute the same bits as a hot one");

    @ArchTest
    static final ArchRule filesAreNeverDeserializedByJava = noClasses()
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(ObjectInputStream.class, ObjectOutputStream.class)
            .because("weights and tokenizers are data, and a stream of objects is a program");

    @ArchTest
    static final ArchRule nothingIsPrinted = noClasses()
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .because("what a user reads comes from the command line's classes");

    @ArchTest
    static final ArchRule onlyTheCommandLineEndsTheJvm =
            noClasses().should().callMethod(System.class, "exit", int.class);

    @ArchTest
    static final ArchRule nothingStaticChanges = noFields()
            .that()
            .areStatic()
            .and()
            .haveNameNotMatching("\\$.*")
            .should()
            .notBeFinal();

    private static DescribedPredicate<JavaClass> inOurPackagesExcept(String... packages) {
        return DescribedPredicate.describe(
                "are ours, outside of " + String.join(", ", packages),
                type -> type.getPackageName().startsWith("io.rlhf4j")
                        && Set.of(packages).stream().noneMatch(type.getPackageName()::startsWith));
    }

    private static DescribedPredicate<JavaFieldAccess> operatorWithoutExactBits() {
        Set<String> operators = Set.of(
                "EXP", "EXPM1", "LOG", "LOG10", "LOG1P", "POW", "TANH", "SINH", "COSH", "SIN", "COS", "TAN", "ASIN",
                "ACOS", "ATAN", "ATAN2", "CBRT", "HYPOT");
        return DescribedPredicate.describe(
                "the operator is a transcendental of VectorOperators",
                access -> access.getTargetOwner().isEquivalentTo(VectorOperators.class)
                        && operators.contains(access.getTarget().getName()));
    }

    private static DescribedPredicate<JavaCall<?>> floatingReduction() {
        return DescribedPredicate.describe(
                "the method is FloatVector.reduceLanes",
                call -> call.getTargetOwner().isEquivalentTo(FloatVector.class)
                        && call.getTarget().getName().startsWith("reduceLanes"));
    }
}
