/**
 * A made-up support desk: the small domain that the quickstart trains on. Customers ask for one fact about one product, in
 * English or Chinese; a good answer gives the right fact, in the customer's language, within the house rules.
 *
 * <p>Everything is generated from a seed, so nothing is downloaded and nobody's text is used. {@link
 * io.rlhf4j.driver.supportdesk.GroundTruth} scores an answer from its content; no model ever sees that score.
 */
package io.rlhf4j.driver.supportdesk;
