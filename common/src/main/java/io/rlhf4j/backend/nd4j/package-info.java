/**
 * The backend made of ND4J operations alone: it runs wherever an ND4J backend does, CPU or CUDA, and is the reference
 * that the fast backends are held against. Nothing outside of this package sees its INDArrays.
 */
package io.rlhf4j.backend.nd4j;
