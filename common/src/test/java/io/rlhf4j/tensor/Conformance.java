package io.rlhf4j.tensor;

/** What the parts of the conformance kit share: the backend under test. */
interface Conformance {
    /** Two lengths that fill whole vectors and blocks, and some that do not. */
    int[] ODD_LENGTHS = {1, 2, 15, 16, 17, 33, 64, 100};

    /** The backend under test, the same one in all tests. */
    Backend backend();

    default Workbench open() {
        return new Workbench(backend(), 20231);
    }
}
