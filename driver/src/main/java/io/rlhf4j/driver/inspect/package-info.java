/** What lies in a folder, said in a few lines. */
package io.rlhf4j.driver.inspect;
