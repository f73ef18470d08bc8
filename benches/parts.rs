//! What the parts of an operation's way cost, one by one: `scripts/bench --parts`.
#![allow(clippy::unwrap_used)] // a measurement that cannot be taken ends the run

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

use counterfoil::bench::{Sample, sample};
use counterfoil::chain::hash::sha256;
use counterfoil::chain::verifier::Check;
use counterfoil::chain::{Entry, Envelope, Hash, Line, SigningKey, Verifier};
use counterfoil::domain::judge::judge;
use counterfoil::domain::payload::Payload;
use counterfoil::ledger::VERIFIED_AT_ONCE;
use counterfoil::ledger::intake::Decoded;

fn signatures(criterion: &mut Criterion, envelope: &Envelope) {
    let message = envelope.signed_bytes();
    let (key, signature) = envelope.signatures()[0];
    criterion.bench_function("verify: plain, from the key's bytes", |bench| {
        bench.iter(|| {
            let key = ed25519_dalek::VerifyingKey::from_bytes(black_box(key.as_bytes())).unwrap();
            let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
            key.verify_strict(&message, &signature).unwrap();
        });
    });
    let verifier = Verifier::new();
    // A key that signs often has a table.
    let check = Check {
        key: &key,
        message: [&message, b""],
        signature: &signature,
    };
    while !verifier.is_due() {
        assert_eq!(verifier.verify(&[check]), [true]);
    }
    verifier.prepare();
    let together = [check; VERIFIED_AT_ONCE];
    criterion.bench_function("verify: the ledger's, 16 of a repeat signer", |bench| {
        bench.iter(|| {
            assert!(
                verifier
                    .verify(black_box(&together))
                    .iter()
                    .all(|good| *good)
            )
        });
    });
    let key = SigningKey::from_seed(&[7; 32]);
    let unsigned = || Envelope::new(envelope.payload_type(), envelope.payload()).unwrap();
    criterion.bench_function("sign an envelope", |bench| {
        bench.iter_batched_ref(
            unsigned,
            |envelope| envelope.sign(&key).unwrap(),
            criterion::BatchSize::SmallInput,
        );
    });
    criterion.bench_function("SHA-256 of 700 bytes", |bench| {
        bench.iter(|| sha256(black_box(&[7; 700])));
    });
}

fn forms(criterion: &mut Criterion, sample: &Sample, envelope: &Envelope) {
    criterion.bench_function("envelope: decode", |bench| {
        bench.iter(|| Envelope::decode(black_box(&sample.transfer)).unwrap());
    });
    criterion.bench_function("payload: decode", |bench| {
        bench.iter(|| Payload::decode(black_box(envelope.payload())).unwrap());
    });
    let entry = Entry::new(1_000, sample.time.millis(), Hash::ZERO, envelope.clone()).unwrap();
    let line = entry.encode();
    criterion.bench_function("line: encode, with its leaf hash", |bench| {
        bench.iter(|| black_box(&entry).encode());
    });
    criterion.bench_function("line: decode, with its leaf hash", |bench| {
        bench.iter(|| Line::decode(black_box(line.bytes())).unwrap());
    });
}

fn judging(criterion: &mut Criterion, sample: &Sample) {
    let decoded = Decoded::read(&sample.transfer).unwrap();
    let keys = decoded.keys();
    criterion.bench_function("judge a transfer of twelve parts", |bench| {
        bench.iter(|| {
            let (state, payload) = (black_box(&sample.state), &decoded.payload);
            judge(state, payload, &keys, decoded.op, sample.time).unwrap()
        });
    });
}

fn parts(criterion: &mut Criterion) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let sample = sample(&folder.path().join("ledger")).unwrap();
    let envelope = Envelope::decode(&sample.transfer).unwrap();
    signatures(criterion, &envelope);
    forms(criterion, &sample, &envelope);
    judging(criterion, &sample);
}

criterion_group!(benches, parts);
criterion_main!(benches);
