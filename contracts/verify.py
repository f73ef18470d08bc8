#!/usr/bin/env python3
"""Checks an export of a ledger, written from FORMAT.md alone: Python's standard library and nothing else.

    verify.py chain.jsonl checkpoint 'VKEY'

Not checked: check characters, bodies beyond what says who signs, and whether each operation was allowed.
"""
import base64, datetime, hashlib, json, re, sys
from ed25519 import admit, need, verify
sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()

def canonical(text):  # encode(decode(text)) == text, so no field twice; and no fractions
    fail = lambda _: need(False, "a number that is no whole number")
    value = json.loads(text, parse_float=fail, parse_constant=fail)
    need(json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text, "not canonical")
    return value

UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
                    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")
TYPE, DATE = "application/vnd.counterfoil.op.v1+json", r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')

def plain(text):  # a payload: the rule of every string and value
    for string in STRING.findall(text):
        need(string and string == string.strip() and not UNSEEN.search(string), f"a string that may not stand: {string!r}")
        need(re.fullmatch(r'(?:[^\\]|\\["\\])*', string), "an escaped control character")
    need(not re.search("null|-", STRING.sub("", text)), "null, or a number below zero")
    return canonical(text)
def instant(text, form):
    need(re.fullmatch(form, text, re.ASCII) and text >= "1970", "no time")
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1", root(leaves[:k]), root(leaves[k:]))
def b64(text):
    need(base64.b64encode(base64.b64decode(text)).decode() == text, "base64 in another spelling")
    return base64.b64decode(text)
def unhex(text, size):
    need(re.fullmatch("[0-9a-f]{%d}" % (2 * size), text), "no lower-case hex of that length")
    return bytes.fromhex(text)

def checkpoint(note, vkey):
    name, key_id, typed = vkey.split("+", 2)
    typed = b64(typed)
    need(typed[0] == 1 and sha(f"{name}\n".encode(), typed)[:4].hex() == key_id, "the verifier key")
    admit(typed[1:])
    text, lines = note[:note.rindex("\n\n") + 1], note[note.rindex("\n\n") + 2:]
    blobs = [b64(line.removeprefix(f"— {name} ")) for line in lines.split("\n") if line.startswith(f"— {name} ")]
    sigs = [blob[4:] for blob in blobs if blob[:4].hex() == key_id]
    need(sigs and lines.endswith("\n"), "the ledger's key did not sign the checkpoint")
    [verify(typed[1:], text.encode(), sig, "the checkpoint's signature is not valid") for sig in sigs]
    origin, size, root_hash, rest = text.split("\n")
    need(origin == name and rest == "" and str(int(size)) == size and int(size) >= 0, "the checkpoint's text")
    return name, typed[1:], int(size), unhex(b64(root_hash).hex(), 32)

def register(n, payload, signers, vkey, keys, names):  # keys: each key's party, and whether it may stand for it
    body, op, by, new, called = payload["body"], payload["op"], payload["party"], [], []
    need((n == 0) == (op == "ledger.create"), "ledger.create is entry 0 and nothing else")
    stands = lambda party: any(keys.get(key) == (party, True) for key in signers)
    if op == "ledger.create":
        need((body["origin"], body["vkey"], body["engine"]) == (payload["ledger"], vkey, 1), "entry 0 is another ledger's")
        need(any("admin" in grant["powers"] for grant in body["keys"]), "no operator key with the power admin")
        new, called = body["keys"], [by]
    elif op == "party.admit":
        vouched, new, called = body.get("vouched_by"), [body["key"]], [body["party"], *body.get("aliases", [])]
        need(by == names[0] and stands(vouched or by), "the operator admits, and who vouches signs")
        need(vouched or not {"debtor", "lender", "guarantor", "bank"} & set(body["roles"]), "nobody vouches")
        need("admin" in new[0]["powers"] and "seal" not in new[0]["powers"], "the first key's powers")
        need(all(keys[key][0] in (by, vouched) for key in signers if key in keys), "a key is not asked to sign")
    need(n == 0 or stands(by), f"no admin or maker key of {by} signed")
    names += called
    need(len(names) == len(set(names)), "a party is there already")
    fresh = {unhex(g["key"], 32): (called[0], bool({"admin", "maker"} & set(g["powers"]))) for g in new}
    need(len(fresh) == len(new) and not fresh.keys() & keys.keys(), "a key is taken")
    known = all(key in fresh or key in keys and keys[key][0] for key in signers)
    need(known and fresh.keys() <= set(signers), "a signer belongs to no party, or a new key does not sign")
    [admit(key) for key in fresh]
    keys |= fresh

def check(export, note, vkey):
    origin, log_key, size, signed_root = checkpoint(note, vkey)
    leaves, ops, keys, names, last, n = [], set(), {log_key: ("", False)}, [], "", -1
    *lines, rest = export.split(b"\n")
    need(rest == b"", "the export does not end with a newline")
    try:
        for n, line in enumerate(lines):
            entry = canonical(line.decode())
            need(list(entry) == ["n", "time", "prev", "type", "payload", "sigs"], "fields")
            need(type(entry["n"]) is int and entry["n"] == n and len(line) <= 65535, "n, or too long")
            need(unhex(entry["prev"], 32) == (leaves[-1] if leaves else bytes(32)), "prev")
            text, sigs = entry["payload"], [(unhex(key, 32), b64(sig)) for key, sig in entry["sigs"]]
            need(entry["type"] == TYPE and entry["time"] >= last, "another type of payload, or time goes back")
            need(len(text.encode()) <= 40960 and len(json.dumps(text, ensure_ascii=False).encode()) <= 62002, "too long")
            time = instant(entry["time"], DATE + r"\.\d{3}Z")
            payload = plain(text)
            need(list(payload) == ["ledger", "op", "party", "nonce", "not_after", "body"], "the payload's fields")
            need(payload["ledger"] == origin and unhex(payload["nonce"], 16) and type(payload["body"]) is dict, "the payload")
            ahead = instant(payload["not_after"], DATE + "Z") - time
            need(datetime.timedelta(0) <= ahead <= datetime.timedelta(days=7), "not_after")
            pae, signers = f"DSSEv1 38 {TYPE} {len(text.encode())} {text}".encode(), [key for key, _ in sigs]
            need(sha(pae) not in ops and signers == sorted(set(signers)) and 1 <= len(sigs) <= 16, "op id again, or sigs")
            [verify(key, pae, sig, f"the signature of {key.hex()} is not valid") for key, sig in sigs]
            register(n, payload, signers, vkey, keys, names)
            last = entry["time"]
            ops.add(sha(pae))
            leaves.append(sha(b"\0", line))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise SystemExit(f"entry {n}: {fault}")
    need(len(leaves) >= size, f"the export has {len(leaves)} entries, the checkpoint covers {size}")
    need(root(leaves[:size]) == signed_root, "another history was signed")
    return f"{origin}: {size} entries are sound, root {signed_root.hex()}, {len(leaves) - size} more not yet signed"

if __name__ == "__main__":
    try:
        print(check(open(sys.argv[1], "rb").read(), open(sys.argv[2], "rb").read().decode(), sys.argv[3]))
    except ValueError as fault:
        raise SystemExit(fault)
