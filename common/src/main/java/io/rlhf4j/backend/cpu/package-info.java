/**
 * The fast backend for processors: matrix products by oneDNN, everything else as fused kernels in the JDK Vector API.
 *
 * <p>Bits: kernels use only lane operations that IEEE 754 defines exactly (add, multiply, divide, square root, fused
 * multiply-add, comparisons, shifts) and sum in an order written by hand, so that an interpreted, a freshly compiled and a
 * hot method give the same result. Work is cut into pieces by its shape alone; threads take pieces in any order.
 *
 * <p>Types: kernels compute in fp32. BF16 rows are widened into a small buffer that stays in the first-level cache, and
 * rounded when stored: one kernel serves both types.
 */
package io.rlhf4j.backend.cpu;
