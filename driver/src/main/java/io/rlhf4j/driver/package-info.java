/** What the driver of a run does; {@link io.rlhf4j.driver.Main} is where it begins. */
package io.rlhf4j.driver;
