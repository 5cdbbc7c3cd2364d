//! What the demo prints: numbered steps, commands with what they answer, and results. Colours only on a terminal.

use std::cell::Cell;
use std::io::{IsTerminal as _, Stdout, Write as _};
use std::time::Instant;

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const CYAN: &str = "36";
const DIM: &str = "2";

/// So wide is what is said, as far as words are short enough.
const WIDTH: usize = 100;
/// Before all that belongs to a step.
const INDENT: &str = "   ";

/// Where the demo prints.
pub struct Screen {
    out: Stdout,
    colours: bool,
    steps: Cell<u32>,
    begun: Instant,
}

impl Screen {
    /// Standard output.
    pub fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let out = std::io::stdout();
        Self { colours: wanted && out.is_terminal(), out, steps: Cell::new(0), begun: Instant::now() }
    }

    /// A line as it is.
    pub fn say(&self, line: &str) {
        let mut out = self.out.lock();
        // Nobody may be reading any more; the story still has to end well.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    /// The heading of the next step.
    pub fn step(&self, title: &str) {
        self.steps.set(self.steps.get() + 1);
        self.say(&format!("\n{}", self.paint(BOLD, &format!("{}. {title}", self.steps.get()))));
    }

    /// A remark within a step.
    pub fn remark(&self, text: &str) {
        self.indented(DIM, text);
    }

    /// A command as one would type it; what is too long goes on in the next line, as a shell takes it.
    pub fn command(&self, prompt: char, command: &str) {
        self.indented(CYAN, &wrapped(&format!("{prompt} {command}"), " \\"));
    }

    /// A command to be pasted: never in two lines.
    pub fn to_paste(&self, command: &str) {
        self.say(&format!("{INDENT}{}", self.paint(CYAN, command)));
    }

    /// What a command answers.
    pub fn output(&self, text: &str) {
        let line = |line: &str| self.say(format!("{INDENT}{line}").trim_end());
        text.lines().for_each(|long| wrapped(long, "").lines().for_each(line));
    }

    /// Somebody who gets no further.
    pub fn stopped(&self, text: &str) {
        self.indented(RED, &format!("✗ {text}"));
    }

    /// Something that is as it should be.
    pub fn good(&self, text: &str) {
        self.indented(GREEN, &format!("✓ {text}"));
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    fn indented(&self, colour: &str, text: &str) {
        text.lines().for_each(|line| self.say(&format!("{INDENT}{}", self.paint(colour, line))));
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A line in lines that are short enough; each but the last ends with `end`.
fn wrapped(line: &str, end: &str) -> String {
    let room = WIDTH - INDENT.len() - end.len();
    let (mut lines, mut rest) = (Vec::new(), line.to_owned());
    while rest.chars().count() > room {
        let cut = rest.char_indices().nth(room + 1).map_or(rest.len(), |(at, _)| at);
        // Not within the blanks at its beginning, or nothing would get shorter.
        let begin = rest.len() - rest.trim_start().len();
        let Some(at) = rest[..cut].rfind(' ').filter(|at| *at > begin) else { break };
        lines.push(format!("{}{end}", rest[..at].trim_end()));
        rest = format!("      {}", rest[at..].trim_start());
    }
    lines.push(rest);
    lines.join("\n")
}

/// Rows as columns of equal width.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("   ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{INDENT, WIDTH, table, wrapped};

    #[test]
    fn long_lines_go_on_in_the_next_and_a_long_word_is_left_whole() {
        let line = "word ".repeat(50);
        let long = wrapped(line.trim(), " \\");
        assert!(long.lines().count() > 1 && long.lines().all(|line| INDENT.len() + line.chars().count() <= WIDTH));
        assert_eq!(long.replace(" \\\n     ", ""), line.trim());
        let word = "x".repeat(200);
        assert_eq!(wrapped(&word, ""), word);
        assert_eq!(wrapped("short", " \\"), "short");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["KIND", "ID"], ["group", "ä"], ["x", "yy"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "KIND    ID\ngroup   ä\nx       yy");
    }
}
