/**
 * What a run is told, as records. A record is a section of the configuration file; {@link io.rlhf4j.config.Doc} says
 * what each key means, its preset and its range, and everything else (reading, checking, writing, the reference page)
 * follows from that.
 */
package io.rlhf4j.config;
