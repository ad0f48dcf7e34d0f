/** Whole model directories in Hugging Face's layout, read and written on any Hadoop file system. */
package io.rlhf4j.hub;
