//! Every byte of a receipt, of a checkpoint, of tiles, bundles and exports, changed: each is refused, by the step that the
//! field it lies in belongs to.

use std::ops::Range;

use rayon::prelude::*;

use super::*;

/// A field, and the steps that may refuse a change of it.
struct Field {
    place: Range<usize>,
    steps: &'static [&'static str],
}

/// Where a text stands, once, in a file.
fn place(file: &str, text: &str) -> Range<usize> {
    let at = file
        .find(text)
        .unwrap_or_else(|| panic!("{text} in {file}"));
    assert_eq!(file.rfind(text), Some(at), "{text} stands once");
    at..at + text.len()
}

/// The fields of a checkpoint in a file, in which `newline` ends a line.
fn checkpoint_fields(file: &str, newline: &str) -> Vec<Field> {
    let note = Note::decode(checkpoint(&leaves(&lines(3))).encode().as_bytes()).unwrap();
    let [origin, size, root] = [0, 1, 2].map(|n| note.text().lines().nth(n).unwrap());
    let text = place(
        file,
        &format!("{newline}{origin}{newline}{size}{newline}{root}{newline}"),
    );
    let origin = text.start + newline.len()..text.start + newline.len() + origin.len();
    let rest = origin.end..text.end;
    let [log, witness] = [0, 1].map(|n| place(file, &note.signatures()[n].to_string()));
    vec![
        Field {
            place: origin,
            steps: &["checkpoint.origin"],
        },
        Field {
            place: rest,
            steps: &["checkpoint.log_signature"],
        },
        Field {
            place: log,
            steps: &["checkpoint.log_signature"],
        },
        Field {
            place: witness,
            steps: &["checkpoint.quorum"],
        },
    ]
}

/// Every change of one bit, and of all bits, of every byte.
fn changes(file: &[u8]) -> impl ParallelIterator<Item = (usize, Vec<u8>)> {
    let masks = [1, 2, 4, 8, 16, 32, 64, 128, 255];
    let changes = (0..file.len()).into_par_iter();
    changes.flat_map_iter(move |at| {
        masks.into_iter().map(move |mask| {
            let mut changed = file.to_vec();
            changed[at] ^= mask;
            (at, changed)
        })
    })
}

/// The steps that may refuse a change at a place; none where its field is only form.
fn expected(fields: &[Field], at: usize) -> &'static [&'static str] {
    let field = fields.iter().find(|field| field.place.contains(&at));
    field.map_or(&[], |field| field.steps)
}

fn assert_refused(report: &Report, at: usize, expected: &[&str]) {
    let failed = failed(report);
    assert!(
        expected.contains(&failed),
        "byte {at}: {failed:?}, not {expected:?}: {}",
        why(report)
    );
}

/// Of a change that leaves the form of what is around it, the step is told by the field.
fn step_by_form(receipt: &[u8]) -> Option<&'static str> {
    let Ok(receipt) = Receipt::decode(receipt) else {
        return Some("receipt.read");
    };
    if Line::decode(receipt.line().as_bytes()).is_err() {
        return Some("line.canonical");
    }
    let Ok(proof) = TlogProof::decode(receipt.proof().as_bytes()) else {
        return Some("proof.read");
    };
    let checkpoint = Checkpoint::parse(proof.checkpoint.text());
    checkpoint.is_err().then_some("checkpoint.origin")
}

#[test]
fn every_change_of_a_receipt_is_refused_by_the_step_of_its_field() {
    let lines = lines(3);
    let file = receipt(&lines, 1).encode();
    assert_eq!(
        failed(&check_receipt(file.as_bytes(), policy().as_bytes())),
        ""
    );
    let leaves = leaves(&lines);
    let hash = |n: usize| {
        let proof = TlogProof::decode(receipt(&lines, 1).proof().as_bytes()).unwrap();
        proof.to_string().lines().nth(2 + n).unwrap().to_owned()
    };
    let after = |before: &str, len| {
        let place = place(&file, before);
        place.end..place.end + len
    };
    let signed = place(&file, ",\\\"type\\\":").start..place(&file, "\",\"proof\":").start;
    let mut fields = vec![
        Field {
            place: after("\\\"n\\\":", 1),
            steps: &["leaf"],
        },
        Field {
            place: after(",\\\"time\\\":\\\"", 24),
            steps: &["entry.payload", "inclusion"],
        },
        Field {
            place: place(&file, &leaves[0].to_string()),
            steps: &["inclusion"],
        },
        Field {
            place: signed,
            steps: &["entry.signatures"],
        },
        Field {
            place: after("\\nindex ", 1),
            steps: &["leaf"],
        },
        Field {
            place: place(&file, &hash(0)),
            steps: &["inclusion"],
        },
        Field {
            place: place(&file, &hash(1)),
            steps: &["inclusion"],
        },
    ];
    fields.extend(checkpoint_fields(&file, "\\n"));
    changes(file.as_bytes()).for_each(|(at, changed)| {
        let report = check_receipt(&changed, policy().as_bytes());
        match step_by_form(&changed) {
            Some(step) => assert_refused(&report, at, &[step]),
            None => assert_refused(&report, at, expected(&fields, at)),
        }
    });
}

/// What a change of the checkpoint of tiles and exports must be refused by.
fn checkpoint_step(fields: &[Field], at: usize, changed: &[u8]) -> &'static [&'static str] {
    let Ok(note) = Note::decode(changed) else {
        return &["checkpoint.read"];
    };
    if Checkpoint::parse(note.text()).is_err() {
        return &["checkpoint.origin"];
    }
    expected(fields, at)
}

#[test]
fn every_change_of_a_checkpoint_is_refused_by_the_step_of_its_field() {
    let lines = lines(3);
    let (files, export) = (tiles(&leaves(&lines)), export_of(&lines));
    let file = checkpoint(&leaves(&lines)).encode();
    // The fields are looked for behind a newline, as in a receipt.
    let mut fields = checkpoint_fields(&format!("\n{file}"), "\n");
    for field in &mut fields {
        field.place = field.place.start - 1..field.place.end - 1;
    }
    changes(file.as_bytes()).for_each(|(at, changed)| {
        let expected = checkpoint_step(&fields, at, &changed);
        let report = check_export(&export[..], &changed, b"", policy().as_bytes()).unwrap();
        assert_refused(&report, at, expected);
        let mut files = files.clone();
        files.0.insert("checkpoint".to_owned(), changed);
        let report = check_tiles(&files, policy().as_bytes()).unwrap();
        assert_refused(&report, at, expected);
    });
}

#[test]
fn every_change_of_a_tile_is_refused_by_the_step_of_its_kind() {
    let (large, small) = (tiles(&leaves(&lines(260))), tiles_with_entries(&lines(2)));
    let cases: [(&InMemory, &str, &[&str]); 4] = [
        (&large, "tile/1/000.p/1", &["tiles.root"]),
        (&large, "tile/0/001.p/4", &["tiles.root"]),
        (&small, "tile/0/000.p/2", &["tiles.root"]),
        (
            &small,
            "tile/entries/000.p/2",
            &["entries.read", "entries.leaves"],
        ),
    ];
    for (whole, path, steps) in cases {
        changes(&whole.0[path]).for_each(|(at, changed)| {
            let mut files = whole.clone();
            files.0.insert(path.to_owned(), changed);
            let report = check_tiles(&files, policy().as_bytes()).unwrap();
            assert_refused(&report, at, steps);
        });
    }
}

/// Of a full tile one bit of each byte, another each time: there are 8192.
#[test]
fn every_byte_of_a_full_tile_counts() {
    let whole = tiles(&leaves(&lines(260)));
    (0..8192_usize).into_par_iter().for_each(|at| {
        let mut files = whole.clone();
        files.0.get_mut("tile/0/000").unwrap()[at] ^= 1 << (at % 8);
        let report = check_tiles(&files, policy().as_bytes()).unwrap();
        assert_refused(&report, at, &["tiles.levels"]);
    });
}

#[test]
fn every_change_of_an_export_is_refused() {
    let lines = lines(2);
    let (export, note) = (export_of(&lines), checkpoint(&leaves(&lines)).encode());
    let file = std::str::from_utf8(&export).unwrap();
    let second = file.find('\n').unwrap() + 1;
    let mut fields = Vec::new();
    for line in [0..second, second..file.len()] {
        let after = |before: &str, len| {
            let start = line.start + place(&file[line.clone()], before).end;
            start..start + len
        };
        let (prev, signed) = (after("\"prev\":\"", 64), after("\"type\":", 1));
        fields.extend([
            Field {
                place: after("\"n\":", 1),
                steps: &["line.number"],
            },
            Field {
                place: after("\"time\":\"", 24),
                steps: &["line.time", "line.prev", "entry.payload", "export.root"],
            },
            Field {
                place: prev,
                steps: &["line.prev"],
            },
            Field {
                place: signed.start..line.end,
                steps: &["entry.signatures"],
            },
        ]);
    }
    let form = ["line.canonical", "export.read"];
    changes(&export).for_each(|(at, changed)| {
        let report = check_export(&changed[..], note.as_bytes(), b"", policy().as_bytes()).unwrap();
        let n = usize::from(at >= second);
        let mut read = changed.split_inclusive(|byte| *byte == b'\n').skip(n);
        let line = read.next().and_then(|line| line.strip_suffix(b"\n"));
        match line.map(Line::decode) {
            Some(Ok(_)) => assert_refused(&report, at, expected(&fields, at)),
            _ => assert_refused(&report, at, &form),
        }
    });
}

/// Rubbish instead of each file, and each file cut at every length, gives a report and no panic.
#[test]
fn every_cut_is_refused() {
    let lines = lines(2);
    let file = receipt(&lines, 0).encode();
    (0..file.len()).into_par_iter().for_each(|len| {
        let report = check_receipt(&file.as_bytes()[..len], policy().as_bytes());
        assert_eq!(failed(&report), "receipt.read");
    });
    let policy = policy();
    for len in 0..policy.len() {
        let report = check_receipt(file.as_bytes(), &policy.as_bytes()[..len]);
        assert_eq!(failed(&report), "policy.read", "{len}");
    }
    let (export, note) = (export_of(&lines), checkpoint(&leaves(&lines)).encode());
    (0..export.len()).into_par_iter().for_each(|len| {
        let report = check_export(&export[..len], note.as_bytes(), b"", policy.as_bytes()).unwrap();
        let failed = failed(&report);
        let expected = ["export.read", "export.root"].contains(&failed);
        assert!(expected, "{len}: {failed}");
    });
}
