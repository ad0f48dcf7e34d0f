/** What a rank does in a barrier job: finds or rebuilds its models, trains for a chunk of steps, saves and exports. */
package io.rlhf4j.workers.job;
