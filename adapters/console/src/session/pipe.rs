//! Lines from something that is no terminal: a script, a file, a test.

use std::io::{self, BufRead, Read as _};

use super::{Printer, Read};

/// The longest line that is read, in bytes; what follows on it is passed over.
const LONGEST: u64 = 64 * 1024;

/// A reader of lines.
pub(super) struct Pipe {
    input: Box<dyn BufRead + Send>,
    prompt: String,
    printer: Printer,
}

impl Pipe {
    pub(super) fn new(input: Box<dyn BufRead + Send>, prompt: String, printer: Printer) -> Self {
        Self { input, prompt, printer }
    }

    pub(super) fn prompt(&self) -> &str {
        &self.prompt
    }

    /// Reads a line that has words, and echoes it, so that the output reads like a conversation.
    pub(super) fn read(&mut self) -> io::Result<Read> {
        loop {
            let mut bytes = Vec::new();
            if self.input.by_ref().take(LONGEST).read_until(b'\n', &mut bytes)? == 0 {
                return Ok(Read::End);
            }
            if bytes.last() != Some(&b'\n') && bytes.len() as u64 == LONGEST {
                skip_line(&mut self.input)?;
            }
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']);
            if !line.trim().is_empty() {
                self.printer.echo(&self.prompt, line)?;
                return Ok(Read::Lines(vec![line.to_owned()]));
            }
        }
    }
}

/// Passes over the rest of a line, without keeping it.
fn skip_line(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}
