package io.rlhf4j.driver.report;

import io.rlhf4j.run.MetricsRow;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * One metric over the positions of a step, drawn as SVG: a line of what was measured in training, points of what was
 * measured in evaluations.
 */
final class Curve {
    private static final int WIDTH = 300;
    private static final int HEIGHT = 120;
    /** Points of a line; more are averaged, several to a point. */
    private static final int MOST_POINTS = 300;

    private final String name;
    private final List<Point> trained;
    private final List<Point> evaluated;

    private Curve(String name, List<Point> trained, List<Point> evaluated) {
        this.name = name;
        this.trained = trained;
        this.evaluated = evaluated;
    }

    private record Point(double position, double value) {}

    /**
     * The curve of a metric.
     *
     * @param rows of one step of the run
     */
    static Curve of(String name, List<MetricsRow> rows) {
        return new Curve(name, averaged(points(name, rows, "train")), points(name, rows, "evaluation"));
    }

    /** The name under which a metric of an evaluation stands beside that of training. */
    static String nameOf(String metric) {
        return metric.startsWith("evaluation/") ? metric.substring("evaluation/".length()) : metric;
    }

    private static List<Point> points(String name, List<MetricsRow> rows, String series) {
        List<Point> points = new ArrayList<>();
        for (MetricsRow row : rows) {
            if (row.series().equals(series)) {
                row.values().forEach((metric, value) -> {
                    if (nameOf(metric).equals(name) && Double.isFinite(value)) {
                        points.add(new Point(row.position(), value));
                    }
                });
            }
        }
        points.sort(Comparator.comparingDouble(Point::position));
        return points;
    }

    private static List<Point> averaged(List<Point> points) {
        if (points.size() <= MOST_POINTS) {
            return points;
        }
        List<Point> means = new ArrayList<>();
        for (int i = 0; i < MOST_POINTS; i++) {
            List<Point> some = points.subList((int) ((long) i * points.size() / MOST_POINTS), (int)
                    ((long) (i + 1) * points.size() / MOST_POINTS));
            means.add(new Point(
                    some.stream().mapToDouble(Point::position).average().orElseThrow(),
                    some.stream().mapToDouble(Point::value).average().orElseThrow()));
        }
        return means;
    }

    /** Whether there is anything to draw: two points at least. */
    boolean shown() {
        return trained.size() + evaluated.size() > 1;
    }

    /** The figure. */
    String svg() {
        List<Point> all = new ArrayList<>(trained);
        all.addAll(evaluated);
        Axis across = Axis.of(all.stream().mapToDouble(Point::position).toArray(), 0, WIDTH);
        Axis upwards = Axis.of(all.stream().mapToDouble(Point::value).toArray(), HEIGHT, 0);
        StringBuilder svg = new StringBuilder();
        svg.append("<figure><figcaption>%s</figcaption>%n".formatted(Html.escaped(name)));
        svg.append("<svg viewBox=\"-60 -8 %d %d\" role=\"img\" aria-label=\"%s\">%n"
                .formatted(WIDTH + 70, HEIGHT + 28, Html.escaped(name)));
        svg.append("<path class=\"axis\" d=\"M0 0V%d H%d\"/>%n".formatted(HEIGHT, WIDTH));
        label(svg, -5, 6, "end", upwards.high());
        label(svg, -5, HEIGHT, "end", upwards.low());
        label(svg, 0, HEIGHT + 15, "start", across.low());
        label(svg, WIDTH, HEIGHT + 15, "end", across.high());
        line(svg, "train", trained, across, upwards);
        line(svg, "evaluation", evaluated, across, upwards);
        for (Point point : evaluated) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>%s at %s</title></circle>%n",
                    across.place(point.position()),
                    upwards.place(point.value()),
                    Numbers.text(point.value()),
                    Numbers.text(point.position())));
        }
        return svg.append("</svg></figure>\n").toString();
    }

    private static void line(StringBuilder svg, String kind, List<Point> points, Axis across, Axis upwards) {
        if (points.size() < 2) {
            return;
        }
        svg.append("<polyline class=\"").append(kind).append("\" points=\"");
        for (Point point : points) {
            svg.append(String.format(
                    Locale.ROOT, "%.1f,%.1f ", across.place(point.position()), upwards.place(point.value())));
        }
        svg.append("\"/>\n");
    }

    private static void label(StringBuilder svg, int x, int y, String anchor, double value) {
        svg.append(
                "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>%n".formatted(x, y, anchor, Numbers.text(value)));
    }

    /** Where values lie between two places. */
    private record Axis(double low, double high, double from, double to) {
        static Axis of(double[] values, double from, double to) {
            double low = Double.POSITIVE_INFINITY;
            double high = Double.NEGATIVE_INFINITY;
            for (double value : values) {
                low = Math.min(low, value);
                high = Math.max(high, value);
            }
            return new Axis(low, high, from, to);
        }

        double place(double value) {
            return high == low ? (from + to) / 2 : from + (value - low) / (high - low) * (to - from);
        }
    }
}
