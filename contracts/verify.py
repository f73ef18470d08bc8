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

def read_vkey(vkey):
    name, key_id, typed = vkey.split("+", 2)
    typed = b64(typed)
    need(typed[0] == 1 and sha(f"{name}\n".encode(), typed)[:4].hex() == key_id, "the verifier key")
    admit(typed[1:])
    return name, key_id, typed[1:]

def checkpoint(note, vkey):
    name, key_id, key = read_vkey(vkey)
    text, lines = note[:note.rindex("\n\n") + 1], note[note.rindex("\n\n") + 2:]
    blobs = [b64(line.removeprefix(f"— {name} ")) for line in lines.split("\n") if line.startswith(f"— {name} ")]
    sigs = [blob[4:] for blob in blobs if blob[:4].hex() == key_id]
    need(sigs and lines.endswith("\n"), "the ledger's key did not sign the checkpoint")
    [verify(key, text.encode(), sig, "the checkpoint's signature is not valid") for sig in sigs]
    origin, size, root_hash, rest = text.split("\n")
    need(origin == name and rest == "" and str(int(size)) == size and int(size) >= 0, "the checkpoint's text")
    return name, int(size), unhex(b64(root_hash).hex(), 32)

class Register:  # live: each live key's party and powers; waits: what op ids asked for, and when it happens
    def __init__(self):  # logs: the verifier keys of checkpoints, each with the least size that it signs
        self.live, self.waits, self.taken, self.names, self.ruled, self.logs = {}, {}, set(), [], set(), []

    def log(self, size, vkey, ledger):
        name, _, key = read_vkey(vkey)
        need(name == ledger and key not in self.taken, "a verifier key of another name, or a key that is taken")
        self.logs.append((size, vkey))
        self.taken.add(key)
        return key

    def happen(self, time):
        due = sorted((op for op in self.waits if self.waits[op][0] <= time), key=lambda op: self.waits[op][0])
        for _, party, gone, fresh in map(self.waits.pop, due):
            self.live = {k: own for k, own in self.live.items() if own[0] != party or gone not in (k, "all")} | fresh

    def stands(self, party, signers, powers=None):
        powers = powers or {"admin", "maker", *(["checker"] if party in self.ruled else [])}
        return any(self.live.get(key, ("",))[0] == party and powers & self.live[key][1] for key in signers)

def register(n, time, op_id, payload, signers, reg):
    body, op, by, new, called, log = payload["body"], payload["op"], payload["party"], [], [], set()
    wait = lambda days, party, gone, fresh: reg.waits.update({op_id: (time + datetime.timedelta(days), party, gone, fresh)})
    need((n == 0) == (op == "ledger.create"), "ledger.create is entry 0 and nothing else")
    reg.happen(time)
    if op == "ledger.create":
        need((body["origin"], body["engine"]) == (payload["ledger"], 1), "entry 0 is another ledger's")
        reg.log(0, body["vkey"], payload["ledger"])
        need(any("admin" in grant["powers"] for grant in body["keys"]), "no operator key with the power admin")
        new, called = body["keys"], [by]
    elif op == "party.admit":
        vouched, new, called = body.get("vouched_by"), [body["key"]], [body["party"], *body.get("aliases", [])]
        need(by == reg.names[0] and reg.stands(vouched or by, signers), "the operator admits, and who vouches signs")
        need(vouched or not {"debtor", "lender", "guarantor", "bank"} & set(body["roles"]), "nobody vouches")
        need("admin" in new[0]["powers"] and "seal" not in new[0]["powers"], "the first key's powers")
        need(all(reg.live[key][0] in (by, vouched) for key in signers if key in reg.live), "a key is not asked to sign")
    elif op in ("key.add", "key.recover"):
        new = [body["key"]]
    elif op == "ledger.rekey":
        need(by == reg.names[0], "the operator changes the ledger's key")
        log = {reg.log(n + 1, body["new_vkey"], payload["ledger"])}
    own = {"admin"} if op in ("key.add", "key.revoke", "key.veto", "ledger.rekey") else None
    need(n == 0 or reg.stands(by, signers, own), f"no key of {by} that may signed")
    reg.names += called
    need(len(reg.names) == len(set(reg.names)), "a party is there already")
    holder = called[0] if called else body["party"] if op == "key.recover" else by
    fresh = {unhex(g["key"], 32): (holder, set(g["powers"])) for g in new}
    need(len(fresh) == len(new) and not fresh.keys() & reg.taken, "a key is taken")
    known = all(key in fresh or key in log or key in reg.live for key in signers)
    need(known and fresh.keys() | log <= set(signers), "a signer is no party's live key, or a new key does not sign")
    [admit(key) for key in fresh]
    reg.taken |= fresh.keys()
    if called:
        reg.live |= fresh
    if op == "policy.set" or body.get("policy"):
        reg.ruled.add(holder)
    if op in ("key.add", "policy.set"):
        wait(1, by, None, fresh)
    elif op == "key.revoke":
        need(reg.live.get(unhex(body["key"], 32), ("",))[0] == by, "the key that is to end is no live key of the party")
        wait(1, by, unhex(body["key"], 32), {})
    elif op == "key.recover":
        need(by == reg.names[0] and reg.stands(body["vouched_by"], signers), "the operator and who vouches sign")
        need("admin" in new[0]["powers"] and holder in reg.names, "a recovery")
        wait(7, holder, "all", fresh)
    elif op == "key.veto":
        need(reg.waits.pop(body["operation"], (0, ""))[1] == by, "nothing waits that is vetoed")

def check(export, note, vkey):
    origin, size, signed_root = checkpoint(note, vkey)
    leaves, ops, reg, last, n = [], set(), Register(), "", -1
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
            register(n, time, sha(pae).hex(), payload, signers, reg)
            last = entry["time"]
            ops.add(sha(pae))
            leaves.append(sha(b"\0", line))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise SystemExit(f"entry {n}: {fault}")
    need(len(leaves) >= size, f"the export has {len(leaves)} entries, the checkpoint covers {size}")
    logs = [log for least, log in reg.logs if least <= size]
    need(vkey in logs, "no entry below the checkpoint names the verifier key")
    for log in logs[logs.index(vkey):]:  # up to the key that counts at its size, each signed it
        checkpoint(note, log)
    need(root(leaves[:size]) == signed_root, "another history was signed")
    return f"{origin}: {size} entries are sound, root {signed_root.hex()}, {len(leaves) - size} more not yet signed"

if __name__ == "__main__":
    try:
        print(check(open(sys.argv[1], "rb").read(), open(sys.argv[2], "rb").read().decode(), sys.argv[3]))
    except ValueError as fault:
        raise SystemExit(fault)
