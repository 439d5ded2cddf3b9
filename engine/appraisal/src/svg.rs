//! A small writer of SVG: shapes, paths with one decimal, text. Written by hand because maps need
//! fractions of a pixel and paths that hold a whole class of shapes. Equal calls give equal bytes.

use std::fmt::Write;

/// Font of all text; the first one found is taken.
const FONT: &str = "'DejaVu Sans', Verdana, Helvetica, Arial, sans-serif";

/// A picture being drawn; later shapes cover earlier ones.
pub(crate) struct Svg {
    body: String,
    width: f64,
    height: f64,
    clips: usize,
}

/// Where text stands relative to its point.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How text looks.
#[derive(Clone, Copy)]
pub(crate) struct Type {
    pub(crate) size: f64,
    pub(crate) colour: &'static str,
    pub(crate) bold: bool,
    pub(crate) anchor: Anchor,
    /// A light rim that keeps it readable on a map.
    pub(crate) rim: bool,
}

impl Type {
    pub(crate) const fn new(size: f64, colour: &'static str) -> Self {
        Self { size, colour, bold: false, anchor: Anchor::Start, rim: false }
    }
    pub(crate) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
    pub(crate) const fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }
    pub(crate) const fn rimmed(self) -> Self {
        Self { rim: true, ..self }
    }
    /// About how wide a text will be, pixels.
    pub(crate) fn width(&self, text: &str) -> f64 {
        let per_size = if self.bold { 0.66 } else { 0.58 };
        text.chars().count() as f64 * self.size * per_size
    }
}

impl Svg {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { body: String::new(), width, height, clips: 0 }
    }

    fn add(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.body.write_fmt(arguments);
        self.body.push('\n');
    }

    pub(crate) fn rect(&mut self, [x, y, width, height]: [f64; 4], style: &str) {
        self.add(format_args!(r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" {style}/>"#));
    }

    pub(crate) fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], style: &str) {
        self.add(format_args!(r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" {style}/>"#));
    }

    pub(crate) fn circle(&mut self, x: f64, y: f64, radius: f64, style: &str) {
        self.add(format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius:.1}" {style}/>"#));
    }

    pub(crate) fn path(&mut self, path: &Path, style: &str) {
        if !path.data.is_empty() {
            self.add(format_args!(r#"<path d="{}" {style}/>"#, path.data));
        }
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, kind: Type, text: &str) {
        let anchor = match kind.anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let bold = if kind.bold { r#" font-weight="bold""# } else { "" };
        let (size, colour, text) = (kind.size, kind.colour, escaped(text));
        if kind.rim {
            // Two elements instead of `paint-order`, which not every renderer knows.
            self.add(format_args!(
                r##"<text x="{x:.1}" y="{y:.1}" font-size="{size}" fill="none" stroke="#ffffff" stroke-opacity="0.85" stroke-width="3" stroke-linejoin="round"{anchor}{bold}>{text}</text>"##
            ));
        }
        self.add(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" fill="{colour}"{anchor}{bold}>{text}</text>"#
        ));
    }

    /// Everything until [`Svg::end_clip`] is cut off outside the rectangle.
    pub(crate) fn begin_clip(&mut self, [x, y, width, height]: [f64; 4]) {
        self.clips += 1;
        let id = self.clips;
        self.add(format_args!(
            r#"<clipPath id="clip{id}"><rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/></clipPath><g clip-path="url(#clip{id})">"#
        ));
    }

    pub(crate) fn end_clip(&mut self) {
        self.add(format_args!("</g>"));
    }

    /// The whole file. `title` is what screen readers say.
    pub(crate) fn finish(self, title: &str) -> String {
        let (width, height) = (self.width, self.height);
        let head = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="{FONT}">"#
        );
        format!("{head}\n<title>{}</title>\n{}</svg>\n", escaped(title), self.body)
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // XML 1.0 allows no other control characters.
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// Points nearer to the last one than this (pixels) are left out.
const POINT_STEP_PX: f64 = 0.3;

/// Lines and rings of one style.
#[derive(Default)]
pub(crate) struct Path {
    data: String,
}

impl Path {
    /// Adds a line, or a ring when `closed`.
    pub(crate) fn add(&mut self, points: &[(f64, f64)], closed: bool) {
        let mut last: Option<(f64, f64)> = None;
        for (i, &(x, y)) in points.iter().enumerate() {
            let near = last.is_some_and(|(a, b)| (x - a).abs() + (y - b).abs() < POINT_STEP_PX);
            if near && (closed || i + 1 < points.len()) {
                continue;
            }
            let command = if last.is_none() { 'M' } else { 'L' };
            let _ = write!(self.data, "{command}{x:.1} {y:.1}");
            last = Some((x, y));
        }
        if closed && last.is_some() {
            self.data.push('Z');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_paths_are_short() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text(1.0, 2.0, Type::new(10.0, "#000"), "a<b & \"c\"\u{1}");
        let mut path = Path::default();
        path.add(&[(0.0, 0.0), (0.1, 0.0), (5.0, 5.0), (5.1, 5.1)], false);
        path.add(&[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0), (0.0, 0.0)], true);
        svg.path(&path, r#"fill="none""#);
        let text = svg.finish("t");
        assert!(text.contains("a&lt;b &amp; &quot;c&quot; <"), "{text}");
        assert!(text.contains(r#"d="M0.0 0.0L5.0 5.0L5.1 5.1M0.0 0.0L5.0 0.0L5.0 5.0L0.0 0.0Z""#), "{text}");
    }
}
