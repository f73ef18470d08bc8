#!/usr/bin/env python3
"""Holds the API document against a served ledger, as every party of a story in turn, with schemathesis.

    fuzz.py URL CONTRACTS KEYS

KEYS holds NAME.party and NAME.pem for each party, as `counterfoil demo` writes them. A server error, an answer that the
document does not have, bad data that are taken and good ones that are not: each is shown with a request that repeats
it. Every way of the document must have answered somebody well. Exits with 1 when something was found.
"""
import collections, concurrent.futures, json, os, pathlib, subprocess, sys, tempfile
from client import Ledger, Party, load_pem_private_key

HERE = pathlib.Path(__file__).resolve().parent
CLOCK = "/v1/drill/clock"
# The form of requests is the same for everybody: one party tries all that can be wrong with it.
ALL, MOST = "examples,coverage,fuzzing,stateful", "examples,fuzzing,stateful"


def session(url, contracts, keys, name):
    key = load_pem_private_key((keys / f"{name}.pem").read_bytes(), None)
    party = Party((keys / f"{name}.party").read_text().strip(), key)
    Ledger(url, contracts).read(party, "parties")
    return party


def run(url, contracts, keys, name, *which):
    """One party's run: whether it found nothing, what was said, how often what was answered."""
    party = session(url, contracts, keys, name)
    with tempfile.TemporaryDirectory() as place:
        environment = os.environ | {
            "SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1",
            "FUZZ_URL": url, "FUZZ_CONTRACTS": str(contracts), "FUZZ_KEY": str(keys / f"{name}.pem"),
            "FUZZ_PARTY": party.id, "FUZZ_TOKEN": party.token, "FUZZ_ANSWERS": f"{place}/answers.json",
        }
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run",
                   f"{url}/openapi.json", "--header", f"Authorization: Bearer {party.token}", "--max-examples", "12",
                   "--seed", "1", "--generation-database", "none", "--request-timeout", "20", "--warnings", "off",
                   "--no-color", *which]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
        counted = json.loads((pathlib.Path(place) / "answers.json").read_text() or "{}")
    return done.returncode == 0, done.stdout + done.stderr, collections.Counter(counted)


def tell(name, result, counted):
    good, said, answers = result
    counted.update(answers)
    statuses = collections.Counter()
    for answer, count in answers.items():
        statuses[answer.rsplit(" ", 1)[1]] += count
    told = ", ".join(f"{status} × {count}" for status, count in sorted(statuses.items()))
    print(f"{'ok' if good else 'FOUND'}  {name}: {sum(statuses.values())} requests: {told}", flush=True)
    if not good:
        print(said, flush=True)
    return good


def main(url, contracts, keys):
    keys, contracts = pathlib.Path(keys).resolve(), pathlib.Path(contracts).resolve()
    names = sorted(path.stem for path in keys.glob("*.party"))
    counted, good = collections.Counter(), True
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        phases = {name: ALL if name == names[0] else MOST for name in names}
        left = ["--exclude-path", CLOCK, "--exclude-method", "DELETE"]
        runs = {name: pool.submit(run, url, contracts, keys, name, *left, "--phases", phases[name]) for name in names}
        for name, result in runs.items():
            good &= tell(name, result.result(), counted)
    # At the end, as they end sessions and all that waits.
    for what, *which in [("the end of a session", "--include-method", "DELETE"), ("the clock", "--include-path", CLOCK)]:
        good &= tell(what, run(url, contracts, keys, names[0], *which), counted)
    ways = Ledger(url, contracts).call("GET", "/openapi.json")["paths"]
    ways = [f"{method.upper()} {path}" for path, methods in ways.items() for method in methods]
    # Where the document was read from, schemathesis does not ask again.
    ways.remove("GET /openapi.json")
    well = {answer.rsplit(" ", 1)[0] for answer in counted if answer.rsplit(" ", 1)[1].startswith("2")}
    unmet = [way for way in ways if way not in well]
    print(f"{len(ways)} ways of the document, {len(names)} parties, {counted.total()} requests")
    if unmet:
        print("answered nobody well:", ", ".join(unmet))
    return 0 if good and not unmet else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
