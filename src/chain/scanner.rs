//! Reads text that has one spelling, from left to right: every step names what must stand there.

/// A place in a text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// What stands at an offset is not what must stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    /// Where, in bytes.
    pub(super) offset: usize,
    /// What must stand there.
    pub(super) what: &'static str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    pub(super) fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The refusal of what stands here.
    pub(super) fn expected(&self, what: &'static str) -> Expected {
        self.expected_at(0, what)
    }

    /// The refusal of what stands so many bytes further on.
    pub(super) fn expected_at(&self, further: usize, what: &'static str) -> Expected {
        let offset = self.at + further;
        Expected { offset, what }
    }

    /// Passes over so many bytes, which end where a character does.
    pub(super) fn skip(&mut self, len: usize) {
        self.at += len;
    }

    pub(super) fn literal(&mut self, literal: &'static str) -> Result<(), Expected> {
        if !self.rest().starts_with(literal) {
            return Err(self.expected(literal));
        }
        self.skip(literal.len());
        Ok(())
    }

    /// A value written in `len` bytes.
    pub(super) fn fixed<T>(
        &mut self,
        len: usize,
        what: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, Expected> {
        let value = self
            .rest()
            .get(..len)
            .and_then(read)
            .ok_or(self.expected(what))?;
        self.skip(len);
        Ok(value)
    }

    /// All before the next quote.
    pub(super) fn until_quote(&mut self) -> Result<&'a str, Expected> {
        let found = self.rest().find('"');
        let len = found.ok_or(self.expected("a string and its quote"))?;
        self.fixed(len, "a string and its quote", Some)
    }

    pub(super) fn end(&self, what: &'static str) -> Result<(), Expected> {
        match self.rest() {
            "" => Ok(()),
            _ => Err(self.expected(what)),
        }
    }
}
