//! A terminal's text as a picture: the few escape sequences that the console's theme uses, as SVG that a forge shows.

use std::fmt::Write as _;

/// The width of a character and the height of a line, in pixels, at a font size of 14.
const CELL: (f64, f64) = (8.43, 19.0);
const MARGIN: f64 = 14.0;

/// Draws lines of a terminal.
pub(crate) fn draw(title: &str, terminal: &str) -> String {
    let lines: Vec<&str> = terminal.lines().collect();
    let columns = lines.iter().map(|line| plain_width(line)).max().unwrap_or(0);
    let width = MARGIN.mul_add(2.0, f64::from(u32::try_from(columns).unwrap_or(200)) * CELL.0).ceil();
    let rows = f64::from(u32::try_from(lines.len()).unwrap_or(1));
    let height = MARGIN.mul_add(2.0, rows * CELL.1).ceil();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">"
    );
    let _ = writeln!(out, "<title>{}</title>", escape(title));
    out.push_str(
        "<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d8dee9;white-space:pre}\
         .b{font-weight:bold;fill:#fff}.d{fill:#8a93a5}.r{fill:#ff6b6b}.g{fill:#7bd88f}.y{fill:#ffd166}.m{fill:#d4a5ff}\
         .c{fill:#78dce8}.u{fill:#82aaff}</style>\n",
    );
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1b1f27\"/>");
    for (row, line) in lines.iter().enumerate() {
        let y = CELL.1.mul_add(f64::from(u32::try_from(row).unwrap_or(0)) + 0.75, MARGIN);
        let _ = writeln!(out, "<text xml:space=\"preserve\" x=\"{MARGIN}\" y=\"{y:.1}\">{}</text>", spans(line));
    }
    out.push_str("</svg>\n");
    out
}

/// A line's runs of equal look.
fn spans(line: &str) -> String {
    let mut out = String::new();
    let mut classes: Vec<&str> = Vec::new();
    for (index, part) in line.split("\u{1b}[").enumerate() {
        let text = if index == 0 {
            part
        } else {
            let (codes, rest) = part.split_once('m').expect("only the theme's own sequences");
            for code in codes.split(';') {
                match code {
                    "0" | "" => classes.clear(),
                    "1" => classes.push("b"),
                    "2" => classes.push("d"),
                    "31" => classes.push("r"),
                    "32" => classes.push("g"),
                    "33" => classes.push("y"),
                    "34" => classes.push("u"),
                    "35" => classes.push("m"),
                    "36" => classes.push("c"),
                    other => panic!("the theme has no {other}"),
                }
            }
            rest
        };
        if text.is_empty() {
            continue;
        }
        if classes.is_empty() {
            out.push_str(&escape(text));
        } else {
            let _ = write!(out, "<tspan class=\"{}\">{}</tspan>", classes.join(" "), escape(text));
        }
    }
    out
}

fn plain_width(line: &str) -> usize {
    line.split("\u{1b}[")
        .enumerate()
        .map(|(index, part)| if index == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) })
        .map(|text| text.chars().count())
        .sum()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
