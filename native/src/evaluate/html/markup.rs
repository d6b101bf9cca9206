//! Numbers, tables and plots as HTML.

use super::super::intervals::Interval;
use super::escape;

/// A share with three digits.
pub(super) fn share(value: f64) -> String {
    format!("{value:.3}")
}

/// A share with where it lies below it, or a dash where there is none.
pub(super) fn with_range(value: Option<f64>, interval: Option<Interval>) -> String {
    match value {
        Some(value) => format!(
            "{}<br><span class=\"soft\">{}</span>",
            share(value),
            range(interval)
        ),
        None => "–".to_owned(),
    }
}

/// Where a share lies.
pub(super) fn range(interval: Option<Interval>) -> String {
    match interval {
        Some(Interval { low, high }) => format!("{low:.3} to {high:.3}"),
        None => "–".to_owned(),
    }
}

/// A table; caption, names and cells must be HTML already. It scrolls by itself, by keyboard too. The first cell of a row is its header.
pub(super) fn table(
    class: &str,
    caption: &str,
    header: &[&str],
    rows: &[(bool, Vec<String>)],
) -> String {
    let head: String = header
        .iter()
        .map(|name| format!("<th scope=\"col\">{name}</th>"))
        .collect();
    let head = match header.is_empty() {
        true => String::new(),
        false => format!("<thead><tr>{head}</tr></thead>\n"),
    };
    let body: String = rows
        .iter()
        .map(|(whole, cells)| row(*whole, cells))
        .collect();
    format!(
        "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\"><table class=\"{class}\">\n<caption>{caption}</caption>\n{head}\
         <tbody>\n{body}</tbody>\n</table></div>\n"
    )
}

fn row(whole: bool, cells: &[String]) -> String {
    let numbered = cells.iter().enumerate();
    let cells: String = numbered
        .map(|(place, cell)| match place {
            0 => format!("<th scope=\"row\">{cell}</th>"),
            _ => format!("<td>{cell}</td>"),
        })
        .collect();
    let class = if whole { " class=\"whole\"" } else { "" };
    format!("<tr{class}>{cells}</tr>\n")
}

/// A plot with what it shows in words, for those who do not see it and for those who do.
pub(super) fn plot(svg: &str, alt: &str, caption: &str) -> String {
    format!(
        "<figure class=\"plot\"><div role=\"img\" aria-label=\"{}\">{svg}</div>\
         <figcaption>{caption}</figcaption></figure>\n",
        escape(alt)
    )
}

/// Parts that stand beside each other where there is room.
pub(super) fn beside(parts: &[String]) -> String {
    format!("<div class=\"beside\">\n{}</div>\n", parts.concat())
}

/// A section under its title.
pub(super) fn section(title: &str, content: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n{content}</section>\n")
}
