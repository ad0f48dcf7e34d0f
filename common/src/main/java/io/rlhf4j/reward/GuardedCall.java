package io.rlhf4j.reward;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Calls a reward so that one that hangs or throws becomes scores that are missing, after as many tries as allowed. What a
 * user can mend ({@link Rlhf4jException}) is passed on. A model of this process is trusted to do neither.
 */
final class GuardedCall implements AutoCloseable {
    /** How long an interrupted call may take to end; one that does not end is not tried again, for it would run twice. */
    private static final long GRACE_SECONDS = 10;

    /** Answers of one call: a deadline means the same whether a task has ten answers or thousands. */
    private static final int BATCH = 32;

    private final WeightedReward term;
    private ExecutorService thread;

    GuardedCall(WeightedReward term) {
        this.term = term;
    }

    /** One score for each answer: what the reward says, or why it says nothing. */
    List<Score> score(List<Answer> answers) {
        return term.apart() ? scoreApart(answers) : scoreHere(answers);
    }

    /** All at once: ranks that hold a model together call it equally often, however many answers each has. */
    private List<Score> scoreHere(List<Answer> answers) {
        int batches = Math.max(1, (answers.size() + BATCH - 1) / BATCH);
        try {
            return checked(
                    term.reward()
                            .score(answers, Deadline.in(term.call().deadline().multipliedBy(batches))),
                    answers);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw interrupted(interrupted);
        } catch (IOException failed) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE, "reward '%s': %s".formatted(term.name(), failed.getMessage()), failed);
        }
    }

    private List<Score> scoreApart(List<Answer> answers) {
        List<Score> scores = new ArrayList<>();
        for (int from = 0; from < answers.size(); from += BATCH) {
            scores.addAll(scoreBatch(answers.subList(from, Math.min(answers.size(), from + BATCH))));
        }
        return scores;
    }

    private List<Score> scoreBatch(List<Answer> answers) {
        String reason = "";
        for (int attempt = 0; attempt <= term.call().retries(); attempt++) {
            try {
                return checked(callApart(answers), answers);
            } catch (Rlhf4jException known) {
                throw known;
            } catch (TimeoutException late) {
                reason = "no result within %d ms"
                        .formatted(term.call().deadline().toMillis());
                if (!stopped()) {
                    reason += ", and the call cannot be interrupted";
                    break;
                }
            } catch (InterruptedException interrupted) {
                stopped();
                Thread.currentThread().interrupt();
                throw interrupted(interrupted);
            } catch (IOException | RuntimeException failed) {
                reason = String.valueOf(failed);
            }
        }
        return Collections.nCopies(answers.size(), Score.missing(reason));
    }

    private Rlhf4jException interrupted(InterruptedException cause) {
        return new Rlhf4jException(ErrorKind.INTERRUPTED, "interrupted in reward '%s'".formatted(term.name()), cause);
    }

    private List<Score> callApart(List<Answer> answers) throws IOException, InterruptedException, TimeoutException {
        if (thread == null || thread.isShutdown()) {
            thread = Executors.newSingleThreadExecutor(task -> {
                Thread made = new Thread(task, "reward-" + term.name());
                made.setDaemon(true);
                made.setContextClassLoader(Thread.currentThread().getContextClassLoader());
                return made;
            });
        }
        Future<List<Score>> result = thread.submit(
                () -> term.reward().score(answers, Deadline.in(term.call().deadline())));
        try {
            return result.get(term.call().deadline().toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException failed) {
            Throwable cause = failed.getCause();
            if (cause instanceof Error error) {
                throw error;
            }
            if (cause instanceof RuntimeException unchecked) {
                throw unchecked;
            }
            throw new IOException(cause);
        }
    }

    private static List<Score> checked(List<Score> scores, List<Answer> answers) {
        if (scores == null || scores.size() != answers.size()) {
            String reason = "%s scores for %d answers".formatted(scores == null ? "no" : scores.size(), answers.size());
            return Collections.nCopies(answers.size(), Score.missing(reason));
        }
        List<Score> checked = new ArrayList<>();
        for (Score score : scores) {
            checked.add(score == null ? Score.missing("the score is null") : finite(score));
        }
        return checked;
    }

    private static Score finite(Score score) {
        return score instanceof Score.Given given && !Double.isFinite(given.value())
                ? Score.missing("the score is " + given.value())
                : score;
    }

    /** Interrupts the call and waits a little for its end; the thread is not used again. */
    private boolean stopped() {
        if (thread == null) {
            return true;
        }
        thread.shutdownNow();
        try {
            return thread.awaitTermination(GRACE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        stopped();
        term.reward().close();
    }
}
