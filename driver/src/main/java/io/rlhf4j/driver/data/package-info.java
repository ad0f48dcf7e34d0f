/**
 * From tables to rows of tokens: sources are read, mapped, divided among the steps, blended and tokenized by Spark, and
 * every row that is left out is counted with its reason.
 */
package io.rlhf4j.driver.data;
