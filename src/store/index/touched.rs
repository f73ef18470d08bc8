//! Which objects an entry touches, as rows hold it: the entry, counted from the run's first, the id's length, the id.

/// Of the entries of a tail.
#[derive(Default)]
pub(super) struct Touched {
    /// In order of entry and id.
    bytes: Vec<u8>,
    /// Where each entry's begin.
    begins: Vec<usize>,
}

impl Touched {
    /// The ids that are pushed from now on are the next entry's.
    pub(super) fn next_entry(&mut self) {
        self.begins.push(self.bytes.len());
    }

    pub(super) fn push(&mut self, entry: u16, id: &str) {
        let length = (id.len() as u32).to_be_bytes();
        self.bytes.extend_from_slice(&entry.to_be_bytes());
        self.bytes.extend_from_slice(&length);
        self.bytes.extend_from_slice(id.as_bytes());
    }

    /// Lets go of all, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.begins.clear();
    }

    /// The ids of one entry.
    pub(super) fn of(&self, entry: u16) -> Vec<String> {
        let begin = self.begins.get(usize::from(entry));
        let begin = begin.copied().unwrap_or(self.bytes.len());
        let own = touched_in(&self.bytes[begin..]);
        let own = own.take_while(|touched| touched.entry == entry);
        own.map(|touched| touched.id.to_owned()).collect()
    }

    /// Each id with its entry; a row begins with an entry, and how many of its ids stand in rows before.
    pub(super) fn things(&self) -> impl Iterator<Item = ([u8; 6], &[u8])> {
        let (mut last, mut nth) = (None, 0u32);
        touched_in(&self.bytes).map(move |touched| {
            nth = match last == Some(touched.entry) {
                true => nth + 1,
                false => 0,
            };
            last = Some(touched.entry);
            (touched_begin(touched.entry, nth), touched.bytes)
        })
    }
}

/// The id of an object that an entry touches.
pub(super) struct OneTouched<'a> {
    pub(super) entry: u16,
    pub(super) id: &'a str,
    /// Both as a row holds them.
    pub(super) bytes: &'a [u8],
}

/// What a row holds of touched objects; nothing more behind what is malformed, which no row that was sealed here is.
pub(super) fn touched_in(mut bytes: &[u8]) -> impl Iterator<Item = OneTouched<'_>> {
    std::iter::from_fn(move || {
        let (entry, behind) = bytes.split_first_chunk()?;
        let (id, rest) = text(behind)?;
        let whole = bytes;
        bytes = rest;
        Some(OneTouched {
            entry: u16::from_be_bytes(*entry),
            id,
            bytes: &whole[..whole.len() - rest.len()],
        })
    })
}

/// What a row of touched objects begins with.
pub(super) fn touched_begin(entry: u16, nth: u32) -> [u8; 6] {
    let mut begin = [0; 6];
    begin[..2].copy_from_slice(&entry.to_be_bytes());
    begin[2..].copy_from_slice(&nth.to_be_bytes());
    begin
}

/// A text behind its length, and what follows.
pub(super) fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, behind) = bytes.split_first_chunk()?;
    let (text, behind) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((std::str::from_utf8(text).ok()?, behind))
}
