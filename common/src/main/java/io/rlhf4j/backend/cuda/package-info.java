/**
 * The backend for current NVIDIA chips: kernels in CUDA C, compiled for the chip at hand, and cuBLAS for matrix products.
 * Everything of one backend runs in the order of one stream, so memory that was given back can be lent again at once, and
 * equal calls give equal bits: no kernel adds up in an order that depends on timing.
 *
 * <p>CUDA's libraries are called in C, without a binding of one version: a driver, NVRTC and cuBLAS of CUDA 12 or 13 do.
 */
package io.rlhf4j.backend.cuda;
