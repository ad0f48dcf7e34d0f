/**
 * Losses as plain functions in double precision: of numbers that belong to one token or one pair, with their derivatives.
 * Models turn those derivatives into gradients of parameters.
 */
package io.rlhf4j.loss;
