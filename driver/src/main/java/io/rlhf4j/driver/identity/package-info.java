/**
 * What a run is: what its bits follow from is gathered when it starts, kept in its folder, and compared when it is
 * started again.
 */
package io.rlhf4j.driver.identity;
