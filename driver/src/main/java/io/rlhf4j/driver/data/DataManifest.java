package io.rlhf4j.driver.data;

import java.util.List;

/**
 * What makes the prepared rows of a run whole; written last.
 *
 * @param asked hash of everything in the configuration that the rows follow from
 * @param files of the table, by name
 * @param report what became of the rows
 */
record DataManifest(String asked, List<String> files, DataReport report) {}
