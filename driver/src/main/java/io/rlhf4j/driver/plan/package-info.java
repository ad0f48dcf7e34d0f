/** What a run will need and do, worked out before anything starts. */
package io.rlhf4j.driver.plan;
