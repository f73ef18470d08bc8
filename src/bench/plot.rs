//! A plot of growth: throughput and memory against what is stored, as SVG.

use std::fmt::Write as _;

use super::report::{Point, Report};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
/// Around the lines: for titles, numbers and names of axes.
const LEFT: f64 = 90.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 55.0;

/// One drawing of both.
struct Panel<'p> {
    title: &'p str,
    unit: &'p str,
    colour: &'p str,
    legend: &'p str,
    /// From the top of the whole, in its units.
    top: f64,
    points: Vec<(f64, f64)>,
}

/// The plot of a report that has points; it is of one point or none without them.
pub fn svg(report: &Report) -> String {
    let at = |pick: fn(&Point) -> f64| {
        report
            .growth
            .iter()
            .map(|p| (p.runs as f64, pick(p)))
            .collect()
    };
    let panels = [
        Panel {
            title: "Throughput against ledger size",
            unit: "operations a second",
            colour: "#1f5fa8",
            legend: "durable operations, in process, usual mix",
            top: 0.0,
            points: at(|point| point.per_second),
        },
        Panel {
            title: "Memory against ledger size",
            unit: "MiB resident",
            colour: "#b0521c",
            legend: "a process that has opened the ledger",
            top: HEIGHT,
            points: at(|point| point.resident_bytes as f64 / 1_048_576.0),
        },
    ];
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" font-family=\"sans-serif\" font-size=\"13\">\n\
        <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        2.0 * HEIGHT
    );
    panels.iter().for_each(|panel| panel.draw(&mut out));
    out + "</svg>\n"
}

impl Panel<'_> {
    fn draw(&self, out: &mut String) {
        let ends =
            |pick: fn(&(f64, f64)) -> f64| step(self.points.iter().map(pick).fold(0.0, f64::max));
        let ((x_step, x_end), (y_step, y_end)) = (ends(|p| p.0), ends(|p| p.1));
        let bottom = self.top + HEIGHT - BOTTOM;
        let x = |value: f64| LEFT + value / x_end * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| bottom - value / y_end * (HEIGHT - TOP - BOTTOM);
        let (middle, right) = ((LEFT + WIDTH - RIGHT) / 2.0, WIDTH - RIGHT);
        text(
            out,
            middle,
            self.top + 22.0,
            "middle",
            "font-size=\"15\" font-weight=\"bold\"",
            self.title,
        );
        for at in ticks(y_step, y_end) {
            line(out, [LEFT, y(at), right, y(at)], "#dddddd");
            text(out, LEFT - 8.0, y(at) + 4.0, "end", "", &short(at));
        }
        for at in ticks(x_step, x_end) {
            line(out, [x(at), bottom, x(at), bottom + 5.0], "#444444");
            text(out, x(at), bottom + 20.0, "middle", "", &short(at));
        }
        line(out, [LEFT, bottom, right, bottom], "#444444");
        line(out, [LEFT, self.top + TOP, LEFT, bottom], "#444444");
        text(out, middle, bottom + 40.0, "middle", "", "stored runs");
        let half = self.top + (TOP + HEIGHT - BOTTOM) / 2.0;
        let turned = format!("transform=\"rotate(-90 22 {half})\"");
        text(out, 22.0, half, "middle", &turned, self.unit);
        let path: Vec<_> = self
            .points
            .iter()
            .map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1)))
            .collect();
        let (colour, path) = (self.colour, path.join(" "));
        writeln!(
            out,
            "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        )
        .ok();
        for point in &self.points {
            let (x, y) = (x(point.0), y(point.1));
            writeln!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>"
            )
            .ok();
        }
        let legend = self.top + TOP - 10.0;
        writeln!(
            out,
            "<circle cx=\"{}\" cy=\"{}\" r=\"4\" fill=\"{colour}\"/>",
            LEFT + 10.0,
            legend - 4.0
        )
        .ok();
        text(out, LEFT + 20.0, legend, "start", "", self.legend);
    }
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, more: &str, text: &str) {
    writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#222222\" {more}>{text}</text>").ok();
}

fn line(out: &mut String, [x1, y1, x2, y2]: [f64; 4], colour: &str) {
    writeln!(
        out,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\"/>"
    )
    .ok();
}

/// The distance of ticks, 1, 2 or 5 times a power of ten, and the end of an axis that reaches `most`.
fn step(most: f64) -> (f64, f64) {
    let most = if most > 0.0 { most } else { 1.0 };
    let power = 10_f64.powf((most / 5.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
    let step = step
        .into_iter()
        .find(|step| step * 5.0 >= most)
        .unwrap_or(10.0 * power);
    (step, (most / step).ceil() * step)
}

fn ticks(step: f64, end: f64) -> impl Iterator<Item = f64> {
    (0..=(end / step).round() as u32).map(move |n| f64::from(n) * step)
}

/// A number of few letters: thousands and millions by `k` and `M`.
fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{}M", value / 1e6),
        value if value >= 1e3 => format!("{}k", value / 1e3),
        value => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_few_round_ticks_and_reaches_the_most() {
        for (most, expected) in [
            (1.0, 0.2),
            (9_999.0, 2_000.0),
            (2_000_000.0, 500_000.0),
            (37.0, 10.0),
        ] {
            let (step, end) = step(most);
            assert!((step - expected).abs() < 1e-9, "{most}: {step}");
            assert!(end >= most && end - most < step, "{most}: {end}");
        }
    }

    #[test]
    fn numbers_on_axes_are_short() {
        assert_eq!(
            [1_500_000.0, 20_000.0, 50.0].map(short),
            ["1.5M", "20k", "50"]
        );
    }
}
