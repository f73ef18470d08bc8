//! Lines of a file as they stand, read without trusting their length.

use std::io::{self, BufRead};

use crate::chain::line::LINE_LEN_MAX;

/// What stands between two newlines, or between the last and the end.
pub(super) struct RawLine {
    /// Where it begins in the file, in bytes.
    pub(super) offset: u64,
    /// Its bytes without newline; of a line that is too long only enough to see that.
    pub(super) bytes: Vec<u8>,
    /// Whether a newline ends it.
    pub(super) ended: bool,
}

/// Reads a file line by line.
pub(super) struct RawLines<R> {
    input: R,
    offset: u64,
}

impl<R: BufRead> RawLines<R> {
    /// Reads from where `input` stands, which is offset 0.
    pub(super) fn new(input: R) -> RawLines<R> {
        RawLines { input, offset: 0 }
    }

    /// Where the next line begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<RawLine>> {
        let mut line = RawLine {
            offset: self.offset,
            bytes: Vec::new(),
            ended: false,
        };
        while !line.ended {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let newline = buffer.iter().position(|b| *b == b'\n');
            let content = &buffer[..newline.unwrap_or(buffer.len())];
            let room = (LINE_LEN_MAX + 1).saturating_sub(line.bytes.len());
            line.bytes
                .extend_from_slice(&content[..content.len().min(room)]);
            line.ended = newline.is_some();
            let taken = content.len() + usize::from(line.ended);
            self.input.consume(taken);
            self.offset += taken as u64;
        }
        Ok((self.offset > line.offset).then_some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u64, usize, bool)> {
        let mut lines = RawLines::new(io::BufReader::with_capacity(7, bytes));
        std::iter::from_fn(|| lines.next().unwrap())
            .map(|l| (l.offset, l.bytes.len(), l.ended))
            .collect()
    }

    #[test]
    fn lines_are_split_at_newlines_with_their_offsets() {
        assert_eq!(read(b""), []);
        assert_eq!(read(b"\n"), [(0, 0, true)]);
        assert_eq!(
            read(b"a long line\n\nrest"),
            [(0, 11, true), (12, 0, true), (13, 4, false)]
        );
    }

    #[test]
    fn line_without_end_takes_little_memory() {
        let mut bytes = vec![0; 1_000_000];
        bytes.extend_from_slice(b"\nx\n");
        assert_eq!(
            read(&bytes),
            [(0, LINE_LEN_MAX + 1, true), (1_000_001, 1, true)]
        );
    }
}
