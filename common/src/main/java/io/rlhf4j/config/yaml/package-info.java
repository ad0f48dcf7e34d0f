/** YAML as a tree in which every value knows where it was written, so that a message can point at it. */
package io.rlhf4j.config.yaml;
