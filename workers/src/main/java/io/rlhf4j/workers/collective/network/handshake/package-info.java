/**
 * How two ranks know that they are of one group, and each which rank the other is, before anything else is said.
 *
 * <p>The one who dials says hello with all it claims to be and a nonce; the other answers with a nonce and proves by an
 * HMAC-SHA256 over both that it knows the run's secret; so does the first; then the claims are compared. A stranger is given
 * nothing but a nonce and a proof that it cannot use elsewhere. What follows the handshake is neither encrypted nor signed.
 */
package io.rlhf4j.workers.collective.network.handshake;
