/** A run as one page for a browser: curves, comparisons, answers, and what the run is. It needs no network and no script. */
package io.rlhf4j.driver.report;
