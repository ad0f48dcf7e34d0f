package io.rlhf4j.error;

/**
 * Anything that a user can mend: the message says what is wrong and where (file, row, key, rank, step), its likely cause,
 * and what to do. The kind decides the exit code.
 */
public class Rlhf4jException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorKind kind;

    public Rlhf4jException(ErrorKind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public Rlhf4jException(ErrorKind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public ErrorKind kind() {
        return kind;
    }

    /** The configuration cannot be used. */
    public static Rlhf4jException configuration(String message) {
        return new Rlhf4jException(ErrorKind.CONFIGURATION, message);
    }

    /** A file or row cannot be used. */
    public static Rlhf4jException data(String message) {
        return new Rlhf4jException(ErrorKind.DATA, message);
    }

    /** A file or row cannot be used, because of {@code cause}. */
    public static Rlhf4jException data(String message, Throwable cause) {
        return new Rlhf4jException(ErrorKind.DATA, message, cause);
    }
}
