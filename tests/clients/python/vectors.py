#!/usr/bin/env python3
"""Makes every vector of contracts/vectors/operations.json again, from the seeds and FORMAT.md alone.

    vectors.py CONTRACTS

What a client must do to sign is in `client.py`; here it is held against the vectors: keys, bytes that are signed,
signatures, envelopes, ids, lines, leaf hashes, roots, and how a payload that is not canonical is found out.
"""
import base64, hashlib, json, pathlib, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from client import BASE32, OP, SESSION, Party, canonical, in_order, pae

PREFIXES = ["acc", "ctr", "dlv", "fin", "inv", "leg", "lim", "obl", "ofr", "rcv", "req", "trf"]


def made(op_id, prefix, k):
    """The id of the k-th object of a prefix that an operation makes (FORMAT.md, section 4)."""
    first = bytes.fromhex(op_id) if k == 0 else hashlib.sha256(bytes.fromhex(op_id) + k.to_bytes(4, "big")).digest()
    number = int.from_bytes(first[:16], "big")
    return prefix + "_" + "".join(BASE32[number >> (5 * place) & 31] for place in reversed(range(26)))


def root(leaves):
    """RFC 6962, section 2.1."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256().digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:half]) + root(leaves[half:])).digest()


def signed(kind, payload, keys):
    """The envelope of a payload, its signatures in order of key, and whether each verifies."""
    sign = lambda by: {"keyid": by.public, "sig": base64.b64encode(by.key.sign(pae(kind, payload))).decode()}
    signatures = [sign(by) for by in sorted(keys, key=lambda by: by.public)]
    return {"payloadType": kind, "payload": base64.b64encode(payload).decode(), "signatures": signatures}


def verifies(envelope):
    data = pae(envelope["payloadType"], base64.b64decode(envelope["payload"]))
    try:
        for one in envelope["signatures"]:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(one["keyid"])).verify(base64.b64decode(one["sig"]), data)
    except InvalidSignature:
        return False
    return True


def check_entry(entry, people, schemas, prev, leaves):
    payload = entry["payload"].encode()
    assert pae(OP, payload).hex() == entry["pae"]
    op_id = hashlib.sha256(pae(OP, payload)).hexdigest()
    assert op_id == entry["op_id"]
    envelope = signed(OP, payload, [people[name] for name in entry["signers"]])
    assert envelope == json.loads(entry["envelope"])
    counts = {prefix: 0 for prefix in PREFIXES}
    for one in entry["makes"]:
        prefix = one[:3]
        assert one == made(op_id, prefix, counts[prefix]), one
        counts[prefix] += 1
    said = json.loads(payload)
    schema = schemas[said["op"]]
    assert canonical(said | {"body": in_order(said["body"], schema, schema)}).encode() == payload
    time = entry["time"] if "." in entry["time"] else entry["time"].replace("Z", ".000Z")
    sigs = [[one["keyid"], one["sig"]] for one in envelope["signatures"]]
    line = canonical({"n": len(leaves), "time": time, "prev": prev, "type": OP, "payload": entry["payload"], "sigs": sigs})
    assert line == entry["line"]
    leaves.append(hashlib.sha256(b"\0" + line.encode()).digest())
    assert (leaves[-1].hex(), root(leaves).hex()) == (entry["leaf"], entry["root"])
    return entry["leaf"]


def first_difference(schema, text):
    """Where a payload that can be read differs from its canonical encoding; None where a reader must refuse it anyhow."""
    pairs = lambda found: dict(found) if len(dict(found)) == len(found) else 1 / 0
    try:
        said = json.loads(text, object_pairs_hook=pairs)
        order = ("ledger", "op", "party", "nonce", "not_after", "body")
        said["body"] = {name: value for name, value in said["body"].items() if value is not None}
        again = canonical({name: said[name] for name in order} | {"body": in_order(said["body"], schema, schema)}).encode()
    except (ValueError, ZeroDivisionError, AssertionError, AttributeError):
        return None
    given = text.encode()
    differ = (at for at, (one, other) in enumerate(zip(given, again)) if one != other)
    return next(differ, min(len(given), len(again)))


def main(contracts):
    contracts = pathlib.Path(contracts)
    vectors = json.loads((contracts / "vectors/operations.json").read_text())
    schemas = {path.name.removesuffix(".schema.json"): json.loads(path.read_text())
               for path in (contracts / "operations").glob("*.schema.json")}
    people = {}
    for one in vectors["keys"]:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(one["seed"]))
        people[one["name"]] = Party(one.get("party"), key)
        assert people[one["name"]].public == one["key"], one["name"]
    prev, leaves = "0" * 64, []
    for entry in vectors["entries"]:
        prev = check_entry(entry, people, schemas, prev, leaves)
    missing = set(schemas) - {entry["op"] for entry in vectors["entries"]}
    assert not missing, f"no vector of {missing}"
    assert vectors["checkpoint"].splitlines()[1:3] == [str(len(leaves)), base64.b64encode(root(leaves)).decode()]
    for one in vectors["refused"]:
        assert verifies(json.loads(one["envelope"])) == (one["code"] != "signature.invalid"), one["say"]
    for one in vectors["payloads"]:
        if one["code"] == "payload.not_canonical":
            assert first_difference(schemas["contract.propose"], one["payload"]) == one["offset"], one["what"]
    session = vectors["session"]
    payload = session["payload"].encode()
    assert pae(SESSION, payload).hex() == session["pae"]
    assert signed(SESSION, payload, [people[session["signer"]]]) == json.loads(session["envelope"])
    print(len(leaves), "entries,", len(schemas), "operations,", len(vectors["refused"]), "refused,",
          len(vectors["payloads"]), "payloads that are not canonical: as the vectors say")


if __name__ == "__main__":
    main(*sys.argv[1:])
