/**
 * What an executor keeps between jobs: a slot for each task that runs at a time, with a backend and the models that the last job
 * left there. It is a cache whose every entry names the state that it holds; never the only copy.
 */
package io.rlhf4j.workers.runtime;
