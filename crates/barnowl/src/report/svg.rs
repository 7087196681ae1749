//! A small builder of SVG documents.

use std::fmt::{self, Write as _};

use super::INK;

/// A document that grows by one element at a time; later elements cover earlier ones.
pub(super) struct Svg {
    width: f64,
    height: f64,
    title: String,
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub size: f64,
    pub anchor: Anchor,
    pub bold: bool,
    pub fill: &'static str,
    /// Degrees, clockwise, about the point.
    pub rotation: f64,
}

impl Style {
    pub fn new(size: f64) -> Self {
        Self {
            size,
            anchor: Anchor::Start,
            bold: false,
            fill: INK,
            rotation: 0.0,
        }
    }

    pub fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub fn fill(self, fill: &'static str) -> Self {
        Self { fill, ..self }
    }

    pub fn rotated(self, rotation: f64) -> Self {
        Self { rotation, ..self }
    }

    /// The width of a text, estimated high: what follows at this distance does not touch it in any usual sans-serif.
    pub fn width(&self, text: &str) -> f64 {
        let em: f64 = text.chars().map(character_width).sum();
        em * self.size * if self.bold { 1.08 } else { 1.0 }
    }

    /// The text, or as much of its beginning as fits into `width`, with an ellipsis.
    pub fn shorten(&self, text: &str, width: f64) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let mut short: String = text.to_owned();
        while short.pop().is_some() {
            let candidate = format!("{}…", short.trim_end());
            if self.width(&candidate) <= width {
                return candidate;
            }
        }
        "…".to_owned()
    }
}

/// In units of the font size.
fn character_width(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.32,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' => 0.42,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' | '→' => 1.0,
        'A'..='Z' => 0.74,
        // East Asian scripts, emoji.
        '\u{1100}'.. if !('\u{1e00}'..='\u{2bff}').contains(&character) => 1.1,
        _ => 0.6,
    }
}

impl Svg {
    /// An empty document of the given size, in pixels; `title` is for those who cannot see it.
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        Self {
            width,
            height,
            title: title.to_owned(),
            body: String::new(),
        }
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
        let weight = if style.bold {
            " font-weight=\"600\""
        } else {
            ""
        };
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
            Escaped(text)
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

/// Text without what XML reads as markup or does not allow at all.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\t' | '\n' | '\r' => f.write_char(' '),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}'),
            _ => f.write_char(character),
        })
    }
}
