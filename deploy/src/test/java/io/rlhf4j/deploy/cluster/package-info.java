/** Real clusters on this machine: masters, workers, executors and drivers as processes of their own, from jars. */
package io.rlhf4j.deploy.cluster;
