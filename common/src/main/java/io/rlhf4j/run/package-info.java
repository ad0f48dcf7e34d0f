/** A run's folder: where everything lies, what the run is, how it stands, and its metrics. */
package io.rlhf4j.run;
