#!/usr/bin/env python3
"""A client of a ledger, written from contracts/ alone: Python's standard library and `cryptography`.

    client.py URL CONTRACTS OPERATOR_KEY

plays the main job on a drill ledger that is as new: parties are admitted, a receivable is confirmed, a lender
buys it, the debtor pays.

    client.py --export FILE

checks the lines of an export: each linked to the one before it, each signed as it says. OPERATOR_KEY is a PKCS#8 file without a passphrase.
"""
import base64, datetime, hashlib, json, os, pathlib, sys, urllib.error, urllib.parse, urllib.request
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

OP = "application/vnd.counterfoil.op.v1+json"
SESSION = "application/vnd.counterfoil.session.v1+json"
BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
canonical = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
pae = lambda kind, payload: b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
digest = lambda text: hashlib.sha256(text.encode()).hexdigest()


class Refused(Exception):
    """A problem (RFC 9457); `code` names it."""

    def __init__(self, problem):
        super().__init__(f"{problem['code']}: {problem['detail']}")
        self.code = problem["code"]


class Party:
    """Who signs: an identifier and a key."""

    def __init__(self, id, key=None):
        self.id, self.key, self.token = id, key or Ed25519PrivateKey.generate(), None
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def envelope(self, kind, payload, *others):
        data = canonical(payload).encode()
        sign = lambda by: {"keyid": by.public, "sig": base64.b64encode(by.key.sign(pae(kind, data))).decode()}
        signers = sorted((self, *others), key=lambda by: by.public)
        envelope = {"payloadType": kind, "payload": base64.b64encode(data).decode(), "signatures": [sign(by) for by in signers]}
        return envelope, hashlib.sha256(pae(kind, data)).hexdigest()


def in_order(value, schema, root):
    """The value with the fields of every object in the wire order of its schema, `x-order`."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, list):
        return [in_order(item, schema.get("items", {}), root) for item in value]
    if not isinstance(value, dict):
        return value
    order, types = schema.get("x-order", list(value)), schema.get("properties", {})
    assert set(value) <= set(order), f"of {list(value)} only {order} may stand"
    return {name: in_order(value[name], types.get(name, {}), root) for name in order if name in value}


def made(op_id, prefix):
    """The id of the first object of a prefix that an operation makes."""
    number, text = int(op_id[:32], 16), ""
    for _ in range(26):
        number, text = number >> 5, BASE32[number & 31] + text
    return f"{prefix}_{text}"


class Ledger:
    """A served ledger."""

    def __init__(self, url, contracts):
        self.url, self.contracts = url, pathlib.Path(contracts)
        self.origin = self.call("GET", "/readyz")["origin"]

    def call(self, method, path, body=None, token=None):
        headers = {"content-type": "application/json"} if body is not None else {}
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        data = canonical(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise Refused(json.loads(error.read())) from None

    def now(self):
        return datetime.datetime.fromisoformat(self.call("GET", "/readyz")["time"])

    def move_to(self, instant):
        self.call("POST", "/v1/drill/clock", {"now": instant})

    def act(self, by, op, *others, makes=None, **body):
        """Signs an operation and submits it; the id of what it makes."""
        schema = json.loads((self.contracts / "operations" / f"{op}.schema.json").read_text())
        not_after = (self.now() + datetime.timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
        payload = {"ledger": self.origin, "op": op, "party": by.id, "nonce": os.urandom(16).hex(),
                   "not_after": not_after, "body": in_order(body, schema, schema)}
        envelope, op_id = by.envelope(OP, payload, *others)
        receipt = self.call("POST", "/v1/operations", envelope)
        assert receipt["op_id"] == op_id and receipt["drill"], receipt
        again = self.call("POST", "/v1/operations", envelope)
        assert again["n"] == receipt["n"], "a repeat is answered with the same entry"
        return made(op_id, makes) if makes else None

    def read(self, by, path, **query):
        if by.token is None:
            asked = self.call("POST", "/v1/challenges")
            payload = {name: asked.get(name, by.id) for name in ("ledger", "audience", "party", "challenge", "expires")}
            by.token = self.call("POST", "/v1/sessions", by.envelope(SESSION, payload)[0])["token"]
        return self.call("GET", f"/v1/{path}?{urllib.parse.urlencode(query)}", token=by.token)


def admit(ledger, operator, party, name, roles, *vouchers, **more):
    more |= {"vouched_by": vouchers[0].id} if vouchers else {}
    ledger.act(operator, "party.admit", party, *vouchers, party=party.id, name=name, roles=roles,
               key={"key": party.public, "label": "first", "person": "the treasurer", "powers": ["admin", "maker"]},
               evidence=digest(name), agreement=digest("agreement"), kyc_valid_to="2028-12-31", **more)


def main_job(ledger, operator):
    tax, bank, lender = Party("x:tax"), Party("x:account-bank"), Party("x:lender")
    debtor, supplier = Party("uscc:121100004006864946"), Party("uscc:91110108MA01K7C535")
    admit(ledger, operator, tax, "Tax Bureau", ["authority"], scopes=["attest", "audit"])
    admit(ledger, operator, bank, "Account Bank", ["bank"], tax)
    admit(ledger, operator, lender, "Lender", ["lender"], bank)
    admit(ledger, operator, debtor, "Hospital", ["debtor"], tax, size="public_body")
    admit(ledger, operator, supplier, "Equipment Maker", ["supplier"], size="small")
    accounts = {}
    for number, party in enumerate((lender, debtor, supplier)):
        accounts[party] = ledger.act(party, "account.add", makes="acc", bank=bank.id, number=f"02000010090000{number}",
                                     currency="CNY", default=True)
        ledger.act(bank, "account.attest", account=accounts[party])
    ledger.move_to("2026-05-25T01:00:00Z")
    contract = ledger.act(supplier, "contract.propose", makes="ctr", supplier=supplier.id, debtor=debtor.id, number="PY-1",
                          currency="CNY", value="1000000.00", concluded="2026-05-20", payment_days=60,
                          term_reason="agreed in the tender", inspection_days=7, supplier_size="small",
                          debtor_size="public_body", grace_days=0, vouchers=True, document=digest("contract"))
    ledger.act(debtor, "contract.accept", contract=contract)
    invoice = ledger.act(supplier, "invoice.issue", makes="inv", contract=contract, number="26112000000000048213",
                         type_code=380, issued="2026-05-25", currency="CNY", net="530973.45", tax="69026.55",
                         gross="600000.00", document=digest("invoice"))
    shares = [{"invoice": invoice, "amount": "600000.00"}]
    receivable = ledger.act(supplier, "receivable.register", makes="rcv", contract=contract, shares=shares)
    confirm = dict(receivable=receivable, shares=shares, due="2026-07-24", notice="ledger",
                   defences={"waived": ["set_off"]})
    try:
        ledger.act(supplier, "receivable.confirm", **confirm)
        raise AssertionError("only the debtor confirms")
    except Refused as refused:
        print("refused as it should be:", refused.code)
    ledger.act(debtor, "receivable.confirm", **confirm)
    ledger.act(lender, "limit.set", debtor=debtor.id, currency="CNY", amount="5000000.00", valid_to="2026-12-31")
    request = ledger.act(supplier, "request.open", makes="req", addresses=[f"{receivable}:0-60000000"], bidding="visible",
                         closes="2026-05-27T08:00:00Z", accept_by="2026-05-28T08:00:00Z")
    offer = ledger.act(lender, "offer.make", makes="ofr", request=request, offer={
        "kind": "purchase", "interest": "in_advance", "rate": "0.0435", "day_count": "ACT/360", "fees": [],
        "advance_rate": "1", "recourse": "none", "disburse_by": "2026-06-05", "expires": "2026-05-28T08:00:00Z"})
    financing = ledger.act(supplier, "offer.accept", makes="fin", offer=offer)
    ledger.move_to("2026-06-01T01:00:00Z")
    price = next(row for row in ledger.read(lender, f"financings/{financing}")["schedule"] if row["value_date"] == "2026-06-01")
    pay(ledger, bank, lender, supplier, accounts[supplier], price["price"], "2026-06-01", {"financing": financing}, "disbursement")
    [claim] = ledger.read(lender, f"receivables/{receivable}/claims")["claims"]
    assert (claim["holder"], claim["state"], claim["face"]) == (lender.id, "open", "600000.00"), claim
    ledger.move_to("2026-07-24T01:00:00Z")
    [due] = ledger.read(debtor, "due", due_to="2026-07-24")["items"]
    assert (due["payee"], due["open"], due["pay_to"]) == (lender.id, "600000.00", accounts[lender]), due
    pay(ledger, bank, debtor, lender, due["pay_to"], due["open"], "2026-07-24", {"receivable": receivable}, "payment")
    assert ledger.read(debtor, "due")["items"] == []
    [claim] = ledger.read(lender, f"receivables/{receivable}/claims")["claims"]
    assert claim["state"] == "settled", claim
    print("done:", [item.get("op") or item["notice"] for item in ledger.read(lender, "events")["items"]])


def pay(ledger, bank, payer, payee, account, amount, day, what, purpose):
    leg = ledger.act(payer, "leg.announce", makes="leg", purpose=purpose, payee=payee.id, account=account, amount=amount,
                     value_date=day, end_to_end_id=f"{purpose}-{day}", currency="CNY", discharges=[what])
    ledger.act(bank, "leg.attest", leg=leg, booked=amount, value_date=day, reference=f"booked-{purpose}-{day}")


def check_export(lines):
    last = "0" * 64
    for n, line in enumerate(lines):
        entry = json.loads(line)
        assert (entry["n"], entry["prev"]) == (n, last), f"entry {n} is not linked"
        assert canonical(json.loads(entry["payload"])) == entry["payload"] and entry["sigs"], f"entry {n}"
        for key, sig in entry["sigs"]:
            signed = pae(entry["type"], entry["payload"].encode())
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(base64.b64decode(sig), signed)
        last = hashlib.sha256(b"\0" + line).hexdigest()
    print(n + 1, "entries, the last", last)


if __name__ == "__main__":
    if sys.argv[1] == "--export":
        sys.exit(check_export(pathlib.Path(sys.argv[2]).read_bytes().splitlines()))
    url, contracts, key = sys.argv[1:]
    key = load_pem_private_key(pathlib.Path(key).read_bytes(), None)
    main_job(Ledger(url, contracts), Party("x:operator", key))
