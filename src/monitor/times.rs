//! Whether entries are signed and follow one another, and whether their times can be: held against the times at which witnesses cosigned.

use crate::chain::checkpoint::is_drill;
use crate::chain::cosignature::CLOCKS_APART_MS;
use crate::chain::instant::format_time;
use crate::chain::policy::Witnessed;
use crate::chain::tiles::{TILE_WIDTH, TileKind, TilePath, decode_bundle};
use crate::chain::{Checkpoint, Hash, Line, Tree, Verifier};

use super::Trouble;
use super::alarm::Alarm;
use super::source::Source;

/// The entries that were gone through, and when witnesses saw checkpoints.
#[derive(Debug, Default)]
pub(super) struct Times {
    tree: Tree,
    verifier: Verifier,
    last: Option<(i64, Hash)>,
    /// Checkpoints that were cosigned, in order of size, each with the first and the last time of a cosignature in milliseconds.
    cosigned: Vec<(Checkpoint, i64, i64)>,
    /// How many entries the ledger showed, in order, each with the last time at which it showed no more, by this monitor's clock.
    shown: Vec<(u64, i64)>,
}

impl Times {
    /// A checkpoint was cosigned.
    pub(super) fn saw(&mut self, believed: &Witnessed) {
        let times = believed.cosignatures.iter().map(|by| by.time_s);
        let ms = |time_s: Option<u64>| {
            Some(i64::try_from(time_s?).map_or(i64::MAX, |time_s| time_s.saturating_mul(1_000)))
        };
        let (first, last) = (ms(times.clone().min()), ms(times.max()));
        let newest = self
            .cosigned
            .last()
            .map_or(0, |(checkpoint, ..)| checkpoint.size);
        if let (Some(first), Some(last)) = (first, last)
            && believed.checkpoint.size > newest
        {
            self.cosigned
                .push((believed.checkpoint.clone(), first, last));
        }
    }

    /// The ledger showed so many entries and no more.
    pub(super) fn shown(&mut self, size: u64, now_ms: i64) {
        // Of those that bound only what has been gone through, the last one bounds what comes next.
        let passed = self.tree.size();
        let bounding = self.shown.partition_point(|(size, _)| *size <= passed);
        self.shown.drain(..bounding.saturating_sub(1));
        match self.shown.last_mut() {
            Some((newest, last)) if *newest == size => *last = now_ms,
            _ => self.shown.push((size, now_ms)),
        }
    }

    /// Goes through the entries up to `size` that it has not gone through.
    pub(super) fn check(&mut self, source: &Source, size: u64) -> Result<(), Trouble> {
        while self.tree.size() < size {
            let n = self.tree.size();
            let path = TilePath::within(TileKind::Entries, n / TILE_WIDTH, size);
            let path = path.ok_or_else(|| Trouble::unreadable("entries", "beyond the end"))?;
            let bytes = source.tile(path)?;
            let altered = |why: &str| Alarm::Altered {
                n,
                why: why.to_owned(),
            };
            let entries = decode_bundle(&bytes).ok_or_else(|| altered("its bundle is cut"))?;
            if entries.len() != usize::from(path.width()) {
                return Err(altered("its bundle is not as wide as its name").into());
            }
            for entry in entries.into_iter().skip((n % TILE_WIDTH) as usize) {
                self.take(entry)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Alarm> {
        let n = self.tree.size();
        let altered = |why: String| Alarm::Altered { n, why };
        let (entry, line) = Line::decode(bytes).map_err(|error| altered(error.to_string()))?;
        let (time, prev) = self.last.unwrap_or((0, Hash::ZERO));
        if entry.n() != n {
            return Err(altered(format!("it says that it is entry {}", entry.n())));
        }
        if line.prev() != &prev {
            return Err(altered("it does not follow the entry before it".to_owned()));
        }
        if let Some(key) = entry.envelope().forged(&self.verifier) {
            return Err(altered(format!(
                "the signature of key {key} does not verify"
            )));
        }
        self.can_be(n, entry.time_ms(), time)?;
        self.tree.append(*line.leaf());
        self.last = Some((entry.time_ms(), *line.leaf()));
        self.matches()
    }

    /// "Cosignatures bound it": what a witness saw was there by then, and what it did not see came after. A ledger that rests gets no
    /// cosignatures: what this monitor was not shown came after, too.
    fn can_be(&self, n: u64, time: i64, before: i64) -> Result<(), Alarm> {
        let text = |ms: i64| format_time(ms).unwrap_or_else(|| format!("{ms} ms"));
        let wrong = |why: String| Alarm::ImpossibleTime {
            n,
            time: text(time),
            why,
        };
        if time < before {
            return Err(wrong(format!("the entry before it {}", text(before))));
        }
        let drill = |(seen, ..): &(Checkpoint, i64, i64)| is_drill(&seen.origin);
        if self.cosigned.last().is_some_and(drill) {
            return Ok(());
        }
        let at = self.cosigned.partition_point(|(seen, ..)| seen.size <= n);
        if let Some((covering, first, _)) = self.cosigned.get(at)
            && time > first.saturating_add(CLOCKS_APART_MS)
        {
            let seen = format!(
                "witnesses saw it in {} entries at {}",
                covering.size,
                text(*first)
            );
            return Err(wrong(seen));
        }
        if let Some((without, _, last)) = at.checked_sub(1).and_then(|i| self.cosigned.get(i))
            && time < last.saturating_sub(CLOCKS_APART_MS)
        {
            let unseen = format!(
                "witnesses saw {} entries without it at {}",
                without.size,
                text(*last)
            );
            return Err(wrong(unseen));
        }
        let at = self.shown.partition_point(|(size, _)| *size <= n);
        match at.checked_sub(1).and_then(|i| self.shown.get(i)) {
            Some((size, last)) if time < last.saturating_sub(CLOCKS_APART_MS) => {
                Err(wrong(format!(
                    "this monitor saw {size} entries without it at {}",
                    text(*last)
                )))
            }
            _ => Ok(()),
        }
    }

    /// Where a checkpoint ends here, its root must be that of the entries.
    fn matches(&self) -> Result<(), Alarm> {
        let size = self.tree.size();
        let at = self.cosigned.partition_point(|(seen, ..)| seen.size < size);
        match self.cosigned.get(at) {
            Some((seen, ..)) if seen.size == size && seen.root != self.tree.root() => {
                Err(Alarm::Altered {
                    n: size - 1,
                    why: "up to it the entries do not give the root that was cosigned".to_owned(),
                })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::chain::pae::OP_TYPE;
    use crate::chain::policy::{Cosigned, PolicyText};
    use crate::chain::{Entry, Envelope, SigningKey, VerifierKey, note::KeyKind};

    /// When the witness saw the first two entries, and all four, in minutes.
    const SEEN: [(usize, i64); 2] = [(2, 100), (4, 200)];

    /// Lines of entries at these minutes, in a chain.
    fn lines(minutes: &[i64]) -> Vec<Line> {
        let mut prev = Hash::ZERO;
        let line = |(n, minute): (usize, &i64)| {
            let mut envelope = Envelope::new(OP_TYPE, format!("{{{n}}}")).unwrap();
            envelope.sign(&SigningKey::from_seed(&[1; 32])).unwrap();
            let line = Entry::new(n as u64, minute * 60_000, prev, envelope);
            let line = line.unwrap().encode();
            prev = *line.leaf();
            line
        };
        minutes.iter().enumerate().map(line).collect()
    }

    /// What a monitor says of `shown` after witnesses saw `signed`.
    fn judged(origin: &str, signed: &[Line], shown: &[Line]) -> Result<(), Alarm> {
        let mut times = Times::default();
        for (size, minute) in SEEN {
            let tree: Tree = signed[..size].iter().map(|line| *line.leaf()).collect();
            let key = SigningKey::from_seed(&[1; 32]);
            times.saw(&Witnessed {
                checkpoint: Checkpoint {
                    origin: origin.to_owned(),
                    size: size as u64,
                    root: tree.root(),
                },
                log: VerifierKey::of("l", KeyKind::Ed25519, &key).unwrap(),
                cosignatures: vec![Cosigned {
                    name: PolicyText::from(b"w".as_slice()),
                    time_s: minute.unsigned_abs() * 60,
                }],
            });
        }
        shown.iter().try_for_each(|line| times.take(line.bytes()))
    }

    #[rstest]
    #[case::honest(&[90, 100, 101, 200], None)]
    #[case::clocks_five_minutes_apart(&[90, 105, 105, 205], None)]
    #[case::back_dated_after_witnesses_saw_less(&[60, 60, 94, 150], Some(2))]
    #[case::dated_ahead_of_what_witnesses_saw(&[90, 106, 107, 150], Some(1))]
    #[case::before_the_entry_before(&[90, 100, 150, 149], Some(3))]
    fn a_time_that_cannot_be_is_named(#[case] minutes: &[i64], #[case] wrong: Option<u64>) {
        let lines = lines(minutes);
        let found = judged("ledger.example/r", &lines, &lines);
        match wrong {
            None => assert_eq!(found, Ok(())),
            Some(n) => {
                assert!(
                    matches!(found, Err(Alarm::ImpossibleTime { n: at, .. }) if at == n),
                    "{found:?}"
                );
            }
        }
    }

    #[rstest]
    #[case::honest(&[90, 100, 130, 140], None)]
    #[case::clocks_five_minutes_apart(&[90, 100, 115, 140], None)]
    #[case::back_dated_while_the_ledger_rested(&[90, 100, 114, 140], Some(2))]
    fn what_this_monitor_was_not_shown_came_after(
        #[case] minutes: &[i64],
        #[case] wrong: Option<u64>,
    ) {
        let mut times = Times::default();
        let lines = lines(minutes);
        let mut found = Ok(());
        for (size, minute) in [(2, 101), (2, 120), (3, 141), (4, 150)] {
            times.shown(size, minute * 60_000);
            let gone = usize::try_from(times.tree.size()).unwrap();
            let new = &lines[gone..usize::try_from(size).unwrap()];
            found = found.and_then(|()| new.iter().try_for_each(|line| times.take(line.bytes())));
        }
        match wrong {
            None => assert_eq!((found, times.shown.len()), (Ok(()), 2)),
            Some(n) => assert!(
                matches!(found, Err(Alarm::ImpossibleTime { n: at, .. }) if at == n),
                "{found:?}"
            ),
        }
    }

    #[test]
    fn an_entry_that_nobody_signed_is_named() {
        let mut signed = lines(&[90, 100, 101, 200]);
        let (entry, _) = Line::decode(signed[3].bytes()).unwrap();
        let mut envelope = Envelope::new(OP_TYPE, "{forged}").unwrap();
        let (key, signature) = entry.sigs()[0];
        envelope.add_signature(key, signature).unwrap();
        let forged = Entry::new(3, entry.time_ms(), *entry.prev(), envelope);
        signed[3] = forged.unwrap().encode();
        let found = judged("ledger.example/r", &signed, &signed);
        assert!(
            matches!(found, Err(Alarm::Altered { n: 3, .. })),
            "{found:?}"
        );
    }

    #[test]
    fn a_drills_time_is_set_by_hand_but_never_falls() {
        let lines_of = |minutes: &[i64]| lines(minutes);
        let early = lines_of(&[1, 2, 3, 4]);
        assert_eq!(judged("drill.example/r", &early, &early), Ok(()));
        let falling = lines_of(&[1, 2, 3, 2]);
        let found = judged("drill.example/r", &falling, &falling);
        assert!(
            matches!(found, Err(Alarm::ImpossibleTime { n: 3, .. })),
            "{found:?}"
        );
    }

    #[rstest]
    #[case::dropped(|lines: &mut Vec<Line>| drop(lines.remove(1)), 1)]
    #[case::reordered(|lines: &mut Vec<Line>| lines.swap(1, 2), 1)]
    #[case::altered(|shown: &mut Vec<Line>| shown[1] = lines(&[90, 99])[1].clone(), 1)]
    #[case::history_written_anew(|shown: &mut Vec<Line>| *shown = lines(&[91, 100, 101, 200]), 1)]
    fn what_was_done_to_entries_is_named(#[case] change: fn(&mut Vec<Line>), #[case] n: u64) {
        let signed = lines(&[90, 100, 101, 200]);
        let mut shown = signed.clone();
        change(&mut shown);
        let found = judged("ledger.example/r", &signed, &shown);
        assert!(
            matches!(found, Err(Alarm::Altered { n: at, .. }) if at == n),
            "{found:?}"
        );
    }
}
