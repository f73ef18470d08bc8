//! The index against a list of its records that is gone through.

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Model(Vec<Record>);

impl Model {
    fn feed(&self, feed: &str) -> Vec<Shown> {
        let shown = self.0.iter().flat_map(|record| {
            let own = record.feeds.iter().filter(|(name, _)| name == feed);
            own.map(|(_, n)| Shown {
                n: *n,
                with: record.n,
            })
        });
        shown.collect()
    }

    fn entries(&self, id: &str) -> Vec<u64> {
        let touching = self.0.iter();
        let touching = touching.filter(|record| record.objects.iter().any(|own| own == id));
        touching.map(|record| record.n).collect()
    }

    fn touched(&self, n: u64) -> Vec<String> {
        let record = self.0.get(n as usize);
        let mut ids = record.map_or(Vec::new(), |record| record.objects.clone());
        ids.sort();
        ids.dedup();
        ids
    }

    /// Every lookup by these names of feeds and objects, from these places and entries on.
    fn check(&self, index: &Index, feeds: &[String], objects: &[String], from: &[u64]) {
        let size = self.0.len() as u64;
        assert_eq!(index.size(), size);
        for record in &self.0 {
            let first = self.0.iter().find(|other| other.op_id == record.op_id);
            assert_eq!(
                index.find(&record.op_id).unwrap(),
                first.map(|first| first.n)
            );
        }
        assert_eq!(index.find(&sha256(b"absent")).unwrap(), None);
        for feed in feeds {
            let all = self.feed(feed);
            assert_eq!(index.feed_len(feed), all.len() as u64);
            for (from, limit) in pages(from) {
                let page = all.iter().skip(from as usize).take(limit);
                let page: Vec<Shown> = page.copied().collect();
                assert_eq!(index.feed(feed, from, limit).unwrap(), page);
            }
            for n in from.iter().copied().chain([size, u64::MAX]) {
                let shows = all.iter().any(|shown| shown.n == n);
                assert_eq!(index.shows(feed, n).unwrap(), shows, "{feed} {n}");
            }
        }
        for id in objects {
            let all = self.entries(id);
            for (from, limit) in pages(from) {
                let page = all.iter().filter(|n| **n >= from).take(limit);
                let page: Vec<u64> = page.copied().collect();
                assert_eq!(index.object(id, from, limit).unwrap(), page);
            }
        }
        for n in from.iter().copied().chain([size, u64::MAX]) {
            assert_eq!(index.touched(n).unwrap(), self.touched(n), "{n}");
        }
    }
}

fn pages(from: &[u64]) -> impl Iterator<Item = (u64, usize)> {
    let from = from.iter().copied().chain([u64::MAX]);
    from.flat_map(|from| [0, 1, 3, usize::MAX].map(|limit| (from, limit)))
}

fn names(kind: &str, count: usize) -> Vec<String> {
    // One is another's beginning, and one is not all ASCII.
    let each = ["", "a", "ab", "é", "b"].map(|name| format!("{kind}{name}"));
    each.into_iter().take(count).collect()
}

fn leaf_of(n: u64) -> Option<Hash> {
    Some(sha256(&n.to_be_bytes()))
}

/// What proptest makes of an entry: which operation, which feeds and how much earlier the entry is that each shows, which objects.
type Drawn = (u8, Vec<(usize, u64)>, Vec<usize>);

fn drawn() -> impl Strategy<Value = Drawn> {
    let late = prop_oneof![3 => Just(0), 1 => 1u64..12];
    let feeds = prop::collection::vec((0usize..4, late), 0..5);
    (0u8..30, feeds, prop::collection::vec(0usize..5, 0..5))
}

fn record_of(n: u64, (op, feeds, objects): Drawn) -> Record {
    let (names, ids) = (names("feed", 5), names("obj_", 5));
    let mut feeds: Vec<(String, u64)> = feeds
        .into_iter()
        .map(|(feed, earlier)| (names[feed].clone(), n.saturating_sub(earlier)))
        .collect();
    feeds.sort();
    Record {
        n,
        leaf: leaf_of(n).unwrap(),
        op_id: sha256(&[op]),
        feeds,
        objects: objects.into_iter().map(|id| ids[id].clone()).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn lookups_find_what_a_list_finds(
        run in 1u64..9,
        steps in prop::collection::vec((prop::collection::vec(drawn(), 0..10), any::<bool>()), 1..7),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let mut model = Model::default();
        let open = || Index::open(&path, run, &leaf_of).unwrap();
        let mut index = open().index;
        for (entries, reopen) in steps {
            for entry in entries {
                model.0.push(record_of(model.0.len() as u64, entry));
            }
            if reopen {
                drop(index);
                let opened = open();
                prop_assert_eq!(opened.rebuild, None);
                index = opened.index;
            }
            index.record(&model.0[index.size() as usize..]).unwrap();
            let from: Vec<u64> = (0..model.0.len() as u64).collect();
            model.check(&index, &names("feed", 5), &names("obj_", 5), &from);
        }
    }
}

/// Runs of so many entries that each of their sections has several rows; an entry with more ids than a row holds, a feed with more
/// places than are read at once, an object that every entry touches.
#[test]
fn lookups_find_what_a_list_finds_in_long_runs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    let record = |n: u64| {
        let many = if n % 700 == 99 { 300 } else { 1 };
        let mut feeds = vec![("all".to_owned(), n), (format!("party {}", n % 500), n)];
        if n % 50 == 7 {
            feeds.insert(0, ("all".to_owned(), n / 2));
            feeds.insert(2, ("late".to_owned(), n / 3));
        }
        Record {
            n,
            leaf: leaf_of(n).unwrap(),
            op_id: sha256(&n.to_le_bytes()),
            feeds,
            objects: (0..many)
                .map(|i| format!("id {n} {i}"))
                .chain(["every".to_owned()])
                .collect(),
        }
    };
    let model = Model((0..3_500).map(record).collect());
    for reopened in [false, true] {
        let OpenedIndex { index, rebuild } = Index::open(&path, 1_500, &leaf_of).unwrap();
        assert_eq!((rebuild, index.size()), (None, 3_000 * u64::from(reopened)));
        for records in model.0[index.size() as usize..].chunks(400) {
            index.record(records).unwrap();
        }
        let feeds = ["all", "party 7", "late", "none"].map(str::to_owned);
        let objects = ["every", "id 99 0", "id 99 299", "id 2899 150", "none"];
        let from = [
            0, 1, 6, 7, 28, 98, 99, 100, 1_499, 1_500, 1_507, 2_899, 2_900, 2_999, 3_000, 3_499,
        ];
        model.check(&index, &feeds, &objects.map(str::to_owned), &from);
        // Wherever halving the places looks.
        assert!((0..3_500).all(|n| index.shows("all", n).unwrap()));
    }
}
