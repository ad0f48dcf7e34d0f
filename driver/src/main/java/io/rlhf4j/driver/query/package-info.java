/** Questions in SQL about what a run has written. */
package io.rlhf4j.driver.query;
