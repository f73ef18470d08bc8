"""What schemathesis cannot know of a ledger: ids that a party may read, and how an operation is signed.

Where it made a part of a request that ought to be good, the part is filled in with real ids, real signatures, a day
that is near; what it made to be refused is left as it is. `fuzz.py` starts it, with the party in the environment.
"""
import atexit, base64, collections, json, os, pathlib, random, re, urllib.parse, urllib.request
import schemathesis
from schemathesis.core import NotSet
from schemathesis.core.parameters import ParameterLocation as At
from client import OP, SESSION, Ledger, Party, canonical, in_order, load_pem_private_key, pae

ledger = Ledger(os.environ["FUZZ_URL"], os.environ["FUZZ_CONTRACTS"])
key = load_pem_private_key(pathlib.Path(os.environ["FUZZ_KEY"]).read_bytes(), None)
party = Party(os.environ["FUZZ_PARTY"], key)
party.token = os.environ["FUZZ_TOKEN"]
document = ledger.call("GET", "/openapi.json")
schemas = document["components"]["schemas"]
bodies = [json.loads(path.read_text()) for path in sorted((ledger.contracts / "operations").glob("*.schema.json"))]
adding_an_account = next(schema for schema in bodies if schema["title"] == "account.add")
answers, sessions = collections.Counter(), 0
# A party has so many sessions at once; the one that reads must not be put out by those that are opened here.
SESSIONS_MAX = 40


def known():
    """What this party may read: ids by list, numbers of entries, op ids."""
    lists = [path.split("/")[2] for path in document["paths"] if re.fullmatch("/v1/[a-z]+/{id}", path)]
    found = {name: [row["id"] for row in ledger.read(party, name, limit=200)["items"]] for name in lists if name != "operations"}
    # What has a number is an entry, the others are notices.
    events = [event for event in ledger.read(party, "events", limit=200)["items"] if "n" in event]
    versions = [str(book["version"]) for book in ledger.read(party, "rulebooks")["items"]]
    return found | {"operations": [event["op_id"] for event in events], "entries": [str(event["n"]) for event in events],
                    "rulebooks": versions}


ids = known()
banks = [row["id"] for row in ledger.read(party, "parties")["items"] if "bank" in row["roles"]]
by_prefix = collections.defaultdict(list)
for some in ids.values():
    for one in some:
        by_prefix[one[:4]].append(one)


def good(case, at):
    """Whether that part of the request is one that ought to be taken."""
    return case.meta is not None and not case.meta.is_negative_at(at)


# Values of a form that lie at its ends.
ENDS = {
    r"\d{4}-\d\d-\d\d": ["1970-01-01", "2026-10-11", "2026-10-12", "2026-10-13", "9999-12-31"],
    r"\d{4}-\d\d-\d\dT.*Z": ["1970-01-01T00:00:00Z", "2026-10-12T07:00:00Z", "2026-10-14T00:00:00Z", "9999-12-31T23:59:59Z"],
    # Not what may be a rate.
    r"[1-9]\d*\.\d\d": ["0.00", "0.01", "0.001", "40000.00", "9999999999999999.99"],
}


def at_an_end(value, chance):
    """Some other value of the same form."""
    for form, ends in ENDS.items():
        if re.fullmatch(form, value) and chance.random() < 0.3:
            return chance.choice(ends)
    return value


def real(value, chance):
    """An example with the objects of this ledger in place of its own, and here and there a value at an end."""
    if isinstance(value, dict):
        return {name: real(one, chance) for name, one in value.items()}
    if isinstance(value, list):
        return [real(one, chance) for one in value]
    if isinstance(value, str) and (found := re.match("([a-z]{3}_)[0-9a-z]{26}", value)) and by_prefix[found[1]]:
        return chance.choice(by_prefix[found[1]]) + value[30:]
    if isinstance(value, str) and re.match("(x|uscc|lei):", value):
        return chance.choice([party.id, *ids["parties"]])
    if isinstance(value, int) and not isinstance(value, bool):
        return chance.choice([value, value, value, 0, 6])
    return at_an_end(value, chance) if isinstance(value, str) else value


def body_of(chance):
    """Some operation and its body: any with any object, which the rules mostly refuse, or one that is the party's to do."""
    if chance.random() < 0.2:
        schema = adding_an_account
        made = schema["examples"][0] | {"bank": chance.choice(banks), "number": str(chance.randrange(10**15, 10**16))}
    else:
        schema = chance.choice(bodies)
        made = real(schema["examples"][0], chance)
    return schema, in_order(made, schema, schema)


def payload(chance):
    schema, body = body_of(chance)
    not_after = ledger.now().replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    return {"ledger": ledger.origin, "op": schema["title"], "party": party.id, "nonce": chance.randbytes(16).hex(),
            "not_after": not_after, "body": body}


def session():
    asked = ledger.call("POST", "/v1/challenges")
    asked = {name: asked.get(name, party.id) for name in ("ledger", "audience", "party", "challenge", "expires")}
    return party.envelope(SESSION, asked)[0]


def body_for(path, chance):
    global sessions
    if path == "/v1/operations:check":
        return payload(chance)
    if path.startswith("/v1/operations"):
        return party.envelope(OP, payload(chance))[0]
    if path == "/v1/sessions" and sessions < SESSIONS_MAX:
        sessions += 1
        return session()
    return None


@schemathesis.hook
def before_call(context, case, kwargs):
    path, chance = case.operation.path, random.Random(case.id)
    name = path.split("/")[2] if path.startswith("/v1/") else ""
    if good(case, At.PATH) and ids.get(name) and case.path_parameters:
        only = next(iter(case.path_parameters))
        case.path_parameters[only] = urllib.parse.quote(chance.choice(ids[name]), safe="")
    if good(case, At.QUERY) and case.query:
        if "after" in case.query:
            if ids.get(name) and "sort" not in case.query:
                case.query["after"] = chance.choice(ids[name])
            else:
                del case.query["after"]
        if "as_of" in case.query:
            case.query["as_of"] = str(chance.randint(1, ledger.call("GET", "/readyz")["size"]))
    if good(case, At.BODY) and not isinstance(case.body, NotSet) and (made := body_for(path, chance)):
        case.body = made


def operation_of(case):
    """The name of the operation that a request asks for, where it is one."""
    try:
        body = json.loads(base64.b64decode(case.body["payload"])) if "payload" in case.body else case.body
        return body["op"] if body["op"] in schemas else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


@schemathesis.check
def refused_as_documented(context, response, case):
    """An operation is refused by a rule that its schema names in `x-refusals`, or by one of every operation's."""
    if response.status_code == 422 and case.operation.path.startswith("/v1/operations") and (op := operation_of(case)):
        code = response.json()["code"]
        known = {*schemas[op]["x-refusals"], *schemas["Payload"]["x-refusals"], "signature.invalid", "check.party"}
        assert code in known, f"{op} is refused by {code}, which its x-refusals do not name"


@schemathesis.hook
def after_call(context, case, response):
    answers[f"{case.operation.method.upper()} {case.operation.path} {response.status_code}"] += 1


def written(value):
    """As it is signed: no white space, names as they are. What is no JSON goes as it is."""
    try:
        return value if isinstance(value, bytes) else canonical(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


@schemathesis.serializer("application/json")
def of_one(context, value):
    return written(value)


@schemathesis.serializer("application/x-ndjson")
def of_lines(context, value):
    """One envelope is a batch of one."""
    return written(value) + b"\n"


@atexit.register
def tell():
    pathlib.Path(os.environ["FUZZ_ANSWERS"]).write_text(json.dumps(answers))
