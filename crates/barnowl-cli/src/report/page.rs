//! A page of HTML that needs nothing but itself.

use std::fmt::{self, Display, Write};

/// A document that grows by one element at a time.
pub struct Page {
    body: String,
}

/// Text with the signs of HTML made harmless.
pub struct Escaped<T>(pub T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string().chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

impl Page {
    pub fn new() -> Self {
        Self { body: String::new() }
    }

    /// Writing to a `String` cannot fail.
    fn push(&mut self, text: fmt::Arguments<'_>) {
        let _ = writeln!(self.body, "{text}");
    }

    pub fn title(&mut self, text: &str) {
        self.push(format_args!("<h1>{}</h1>", Escaped(text)));
    }

    pub fn heading(&mut self, text: &str) {
        self.push(format_args!("<h2>{}</h2>", Escaped(text)));
    }

    pub fn paragraph(&mut self, text: &str) {
        self.push(format_args!("<p>{}</p>", Escaped(text)));
    }

    pub fn note(&mut self, text: &str) {
        self.push(format_args!("<p class=\"faint\">{}</p>", Escaped(text)));
    }

    /// A few numbers that one looks for first: value and what it is.
    pub fn numbers(&mut self, numbers: &[(String, String)]) {
        self.push(format_args!("<ul class=\"numbers\">"));
        for (value, what) in numbers {
            self.push(format_args!(
                "<li><b>{}</b><span>{}</span></li>",
                Escaped(value),
                Escaped(what)
            ));
        }
        self.push(format_args!("</ul>"));
    }

    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| -> String {
            cells.map(|cell| format!("<{tag}>{}</{tag}>", Escaped(cell))).collect()
        };
        let head = cells("th", &mut head.iter().copied());
        self.push(format_args!(
            "<div class=\"scroll\"><table><thead><tr>{head}</tr></thead><tbody>"
        ));
        for row in rows {
            let row = cells("td", &mut row.iter().map(String::as_str));
            self.push(format_args!("<tr>{row}</tr>"));
        }
        self.push(format_args!("</tbody></table></div>"));
    }

    /// A figure that Barnowl has drawn; `svg` goes in as it is.
    pub fn figure(&mut self, svg: &str, caption: &str) {
        let caption = Escaped(caption);
        self.push(format_args!("<figure>{svg}<figcaption>{caption}</figcaption></figure>"));
    }

    pub fn code(&mut self, text: &str) {
        self.push(format_args!("<pre>{}</pre>", Escaped(text)));
    }

    /// Long text that opens on demand.
    pub fn details(&mut self, summary: &str, code: &str) {
        self.push(format_args!(
            "<details><summary>{}</summary><pre>{}</pre></details>",
            Escaped(summary),
            Escaped(code)
        ));
    }

    pub fn finish(self, title: &str) -> String {
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
            Escaped(title),
            include_str!("page.css"),
            self.body
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_name_cannot_break_the_page() {
        let mut page = Page::new();
        page.title("<script>");
        page.table(&["a & b"], &[vec!["\"x\"".into()]]);
        page.details("more", "</pre>");
        let text = page.finish("</title>");
        assert!(!text.contains("<script>") && text.contains("&lt;script&gt;"));
        assert!(text.contains("a &amp; b") && text.contains("&quot;x&quot;"));
        assert_eq!(text.matches("</title>").count(), 1);
        assert_eq!(text.matches("</pre>").count(), 1);
    }
}
