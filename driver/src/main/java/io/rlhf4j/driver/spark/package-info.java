/** How this project uses Spark: its session, barrier jobs from Java, and what is refused before anything starts. */
package io.rlhf4j.driver.spark;
