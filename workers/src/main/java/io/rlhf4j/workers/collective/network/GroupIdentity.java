package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.network.handshake.GroupSecret;

/**
 * Which group ranks belong to.
 *
 * @param run the run's name, with the job's where several jobs have groups at once
 * @param generation another one for every attempt, so that leftovers of an earlier one are refused
 * @param secret what only the ranks of this run know
 */
public record GroupIdentity(String run, long generation, GroupSecret secret) {}
