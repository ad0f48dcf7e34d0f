/**
 * The inference side of the hybrid engine: samples many prompts at once over a shared cache of keys and values, letting
 * finished rows leave and waiting prompts enter between tokens (continuous batching, Yu et al. 2022).
 */
package io.rlhf4j.generation;
