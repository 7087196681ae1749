//! A small builder of SVG documents.

use std::fmt::{self, Write as _};

use super::text::{Anchor, Escaped, Style, subscripts};

/// A document that grows by one element at a time; later elements cover earlier ones.
pub(super) struct Svg {
    width: f64,
    height: f64,
    title: String,
    body: String,
}

impl Svg {
    /// An empty document of the given size, in pixels; `title` is for those who cannot see it.
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        Self { width, height, title: title.to_owned(), body: String::new() }
    }

    /// The finished document.
    pub fn finish(self) -> String {
        let (width, height) = (self.width.ceil(), self.height.ceil());
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"system-ui, -apple-system, 'Segoe UI', \
             Roboto, 'Helvetica Neue', Arial, 'Noto Sans', 'DejaVu Sans', sans-serif\">\n<title>{}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
            Escaped(&self.title),
            self.body
        )
    }

    /// A line of the element text; writing to a `String` cannot fail.
    fn element(&mut self, element: fmt::Arguments<'_>) {
        let _ = writeln!(self.body, "{element}");
    }

    pub fn rect(&mut self, [x, y, width, height]: [f64; 4], fill: &str) {
        self.element(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{fill}\"/>",
            N(x),
            N(y),
            N(width.max(0.0)),
            N(height.max(0.0))
        ));
    }

    /// The outline of a rectangle.
    pub fn frame(&mut self, [x, y, width, height]: [f64; 4], stroke: &str) {
        let (x, y, width, height) = (N(x), N(y), N(width), N(height));
        self.element(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"{stroke}\"/>"
        ));
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: &str, width: f64) {
        self.element(format_args!(
            "<path d=\"M{} {}L{} {}\" stroke=\"{stroke}\" stroke-width=\"{}\"/>",
            N(from.0),
            N(from.1),
            N(to.0),
            N(to.1),
            N(width)
        ));
    }

    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, fill: &str) {
        self.element(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{fill}\" stroke=\"#ffffff\"/>",
            N(x),
            N(y),
            N(radius)
        ));
    }

    /// A path with further attributes as they stand in the document.
    pub fn path(&mut self, data: &str, attributes: fmt::Arguments<'_>) {
        if !data.is_empty() {
            self.element(format_args!("<path d=\"{data}\" {attributes}/>"));
        }
    }

    /// A text whose baseline begins, is centred or ends at the point.
    pub fn text(&mut self, (x, y): (f64, f64), style: Style, text: &str) {
        let anchor = match style.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = if style.bold { " font-weight=\"600\"" } else { "" };
        let place = if style.rotation == 0.0 {
            format!("x=\"{}\" y=\"{}\"", N(x), N(y))
        } else {
            let (x, y, angle) = (N(x), N(y), N(style.rotation));
            format!("transform=\"translate({x} {y}) rotate({angle})\"")
        };
        self.element(format_args!(
            "<text {place} font-size=\"{}\" fill=\"{}\"{anchor}{weight}>{}</text>",
            N(style.size),
            style.fill,
            subscripts(text)
        ));
    }

    /// A text shortened to `width`; what was cut shows when the pointer rests on it.
    pub fn text_within(&mut self, at: (f64, f64), style: Style, text: &str, width: f64) {
        let short = style.shorten(text, width);
        if short == text {
            self.text(at, style, text);
        } else {
            self.group(text, |svg| svg.text(at, style, &short));
        }
    }

    /// Elements with a text that shows when the pointer rests on one of them.
    pub fn group(&mut self, about: &str, draw: impl FnOnce(&mut Self)) {
        self.element(format_args!("<g><title>{}</title>", Escaped(about)));
        draw(self);
        self.element(format_args!("</g>"));
    }
}

/// The data of a path through the points; it is broken where a point is missing, and a point by itself is a dot if the
/// line caps are round.
pub(super) fn polyline(points: impl IntoIterator<Item = Option<(f64, f64)>>) -> String {
    let mut data = String::new();
    // How many points the current piece has.
    let mut length = 0;
    for point in points {
        if let Some((x, y)) = point {
            let command = if length == 0 { 'M' } else { 'L' };
            let _ = write!(data, "{command}{} {}", N(x), N(y));
            length += 1;
        } else {
            if length == 1 {
                data.push_str("h0");
            }
            length = 0;
        }
    }
    if length == 1 {
        data.push_str("h0");
    }
    data
}

/// A coordinate: at most two decimals, no trailing zeros.
pub(super) struct N(pub f64);

impl fmt::Display for N {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding zero turns −0 into 0.
        write!(f, "{}", (self.0 * 100.0).round() / 100.0 + 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let mut svg = Svg::new(10.0, 10.0, "a\u{0}b");
        svg.text((0.0, 0.0), Style::new(12.0), "<b> & \"c\"");
        let svg = svg.finish();
        assert!(svg.contains(">&lt;b&gt; &amp; &quot;c&quot;</text>"));
        assert!(svg.contains("<title>a\u{fffd}b</title>"));
    }

    #[test]
    fn lines_break_where_points_are_missing() {
        let points = [Some((0.0, 1.0)), Some((2.004, -0.001)), None, Some((4.5, 5.0)), None];
        assert_eq!(polyline(points), "M0 1L2 0M4.5 5h0");
    }
}
