//! A small chart over the hours of the run: stacked areas on one time axis, round gridlines, the peak
//! in figures. One series is a stack of one. Colours: Okabe and Ito (2008), readable with every
//! common colour vision.

use crate::scale::{clock, number, ticks};
use crate::svg::{Anchor, Path, Svg, Type};

/// Colours of stacked series, bottom first; more series than colours share the last.
pub(crate) const SERIES_COLOURS: [&str; 7] =
    ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999"];
pub(crate) const INK: &str = "#22272b";
pub(crate) const SOFT_INK: &str = "#5c666d";
const GRID: &str = r##"stroke="#e1e5e8" stroke-width="1""##;
const AXIS: &str = r##"stroke="#8a949b" stroke-width="1""##;
const HOUR_MS: i64 = 3_600_000;

/// One series: a name and a value for each time of its chart.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) values: Vec<f64>,
    pub(crate) colour: &'static str,
}

/// What a chart shows.
pub(crate) struct Chart<'a> {
    pub(crate) title: &'a str,
    /// Unit in words, behind the peak.
    pub(crate) unit: &'a str,
    /// Local Unix time in milliseconds, rising; a time may come twice for a step.
    pub(crate) times: Vec<i64>,
    pub(crate) stack: Vec<Series>,
    /// First and last local time of the axis.
    pub(crate) window: (i64, i64),
}

impl Chart<'_> {
    /// Draws into `[x, y, width, height]`, title, axes and all.
    pub(crate) fn draw(&self, svg: &mut Svg, [x, y, width, height]: [f64; 4]) {
        svg.text(x, y + 14.0, Type::new(15.0, INK).bold(), self.title);
        self.draw_names(svg, x + width, y + 14.0);
        let (left, right, top, bottom) = (x + 58.0, x + width - 6.0, y + 34.0, y + height - 22.0);
        if self.times.is_empty() || self.stack.is_empty() {
            let note = "not among the outputs of this scenario";
            svg.text(
                (left + right) / 2.0,
                (top + bottom) / 2.0,
                Type::new(13.0, SOFT_INK).anchored(Anchor::Middle),
                note,
            );
            return;
        }
        let totals: Vec<f64> =
            (0..self.times.len()).map(|i| self.stack.iter().map(|series| series.values[i]).sum()).collect();
        let peak = (0..totals.len()).rev().max_by(|&a, &b| totals[a].total_cmp(&totals[b])).unwrap_or(0);
        let marks = ticks(totals[peak].max(0.0), 4);
        let top_value = marks[marks.len() - 1];
        let span_ms = (self.window.1 - self.window.0).max(1) as f64;
        let x_of = |time_ms: i64| left + (right - left) * (time_ms - self.window.0) as f64 / span_ms;
        let y_of = |value: f64| bottom - (bottom - top) * (value / top_value).clamp(0.0, 1.0);

        for &mark in &marks {
            svg.line([left, y_of(mark), right, y_of(mark)], GRID);
            let kind = Type::new(11.5, SOFT_INK).anchored(Anchor::End);
            svg.text(left - 7.0, y_of(mark) + 4.0, kind, &number(mark));
        }
        self.draw_hours(svg, &x_of, [left, bottom]);

        let mut below = vec![0.0; totals.len()];
        for series in &self.stack {
            let above: Vec<f64> = below.iter().zip(&series.values).map(|(b, v)| b + v).collect();
            let points = |values: &[f64]| -> Vec<(f64, f64)> {
                self.times.iter().zip(values).map(|(&time, &value)| (x_of(time), y_of(value))).collect()
            };
            let mut outline = points(&above);
            let mut line = Path::default();
            line.add(&outline, false);
            outline.extend(points(&below).into_iter().rev());
            let mut area = Path::default();
            area.add(&outline, true);
            let opacity = if self.stack.len() == 1 { 0.25 } else { 0.85 };
            svg.path(&area, &format!(r#"fill="{}" fill-opacity="{opacity}""#, series.colour));
            let rim = if self.stack.len() == 1 { (series.colour, 2.0) } else { ("#ffffff", 0.8) };
            svg.path(&line, &format!(r#"fill="none" stroke="{}" stroke-width="{}""#, rim.0, rim.1));
            below = above;
        }
        svg.line([left, bottom, right, bottom], AXIS);

        let (peak_x, peak_y) = (x_of(self.times[peak]), y_of(totals[peak]));
        svg.circle(peak_x, peak_y, 3.5, &format!(r##"fill="{INK}" stroke="#ffffff" stroke-width="1.2""##));
        let text = format!("{} {} at {}", number(totals[peak]), self.unit, clock(self.times[peak]));
        let kind = Type::new(12.0, INK).bold().rimmed();
        let half = kind.width(&text) / 2.0;
        let text_x = peak_x.clamp(left + half, (right - half).max(left + half));
        svg.text(text_x, (peak_y - 8.0).max(top - 4.0), kind.anchored(Anchor::Middle), &text);
    }

    /// Names of the series right of the title, the last one at the right edge.
    fn draw_names(&self, svg: &mut Svg, right: f64, baseline: f64) {
        if self.stack.len() < 2 {
            return;
        }
        let kind = Type::new(12.0, INK);
        let mut at = right;
        for series in self.stack.iter().rev() {
            at -= kind.width(&series.name) + 8.0;
            svg.text(at, baseline, kind, &series.name);
            at -= 16.0;
            svg.rect([at, baseline - 10.0, 11.0, 11.0], &format!(r#"fill="{}" fill-opacity="0.85""#, series.colour));
        }
    }

    fn draw_hours(&self, svg: &mut Svg, x_of: &dyn Fn(i64) -> f64, [left, bottom]: [f64; 2]) {
        let (start, end) = self.window;
        let hours = (end - start) / HOUR_MS;
        let step_ms = [1, 3, 6, 12, 24].into_iter().find(|step| hours / step <= 9).unwrap_or(48) * HOUR_MS;
        let first = start + (-start).rem_euclid(step_ms);
        for time in (0..).map(|i| first + i * step_ms).take_while(|&time| time <= end) {
            let at = x_of(time);
            svg.line([at, bottom, at, bottom + 4.0], AXIS);
            let label =
                if time == end && time > start && clock(time) == "00:00" { "24:00".into() } else { clock(time) };
            let anchor = if at - left < 12.0 { Anchor::Start } else { Anchor::Middle };
            svg.text(at, bottom + 17.0, Type::new(11.5, SOFT_INK).anchored(anchor), &label);
        }
    }
}
