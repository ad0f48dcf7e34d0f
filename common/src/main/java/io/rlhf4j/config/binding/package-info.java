/** Between the configuration's records and YAML: reading with checks, writing, and the reference page. */
package io.rlhf4j.config.binding;
