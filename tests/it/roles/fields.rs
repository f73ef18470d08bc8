//! Which fields of an object each of its readers gets: the debtor, a holder, a former holder and a lender read one
//! receivable differently.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::answers::Reader;
use super::cast::everybody;
use super::scene::{Scene, names};
use super::table::{TABLE, sees};

/// What is read, by whom, and its fields in order of the alphabet; those of an object or of a list's objects in braces.
type Fields = (&'static str, &'static str, &'static str);

const FIELDS: &[Fields] = &[
    (
        "parties hospital",
        "tax hospital",
        "admitted agreement evidence id keys{from key label person powers} kyc_valid_to name policy roles size",
    ),
    (
        "parties hospital",
        "operator inspector bank-a bank-b factor supplier maker carrier smith bank-c fund works workshop stranger",
        "admitted id keys{from key powers} name roles size",
    ),
    (
        "contracts ctr-open",
        "tax hospital supplier",
        "answer_by concluded currency debtor debtor_size document grace_days id inspection_days number \
         payment_days proposer registered rulebook state supplier supplier_size value vouchers",
    ),
    (
        "contracts ctr-parts",
        "tax supplier maker",
        "change{answer_by by kind op terms{document grace_days inspection_days payment_days value vouchers}} \
         concluded currency debtor debtor_size document grace_days id inspection_days number payment_days \
         proposer registered rulebook since state supplier supplier_size value vouchers",
    ),
    (
        "deliveries dlv-no",
        "tax hospital supplier",
        "amount contract debtor delivered id number reason state supplier",
    ),
    (
        "invoices inv-main",
        "tax hospital supplier",
        "attested_at attested_by consumed contract currency debtor deliveries diluted document fingerprint gross \
         id issued net number payable since state supplier tax type_code unconsumed",
    ),
    (
        "invoices inv-main",
        "inspector",
        "attested_at attested_by currency debtor document fingerprint gross id issued net number payable since \
         state supplier tax type_code",
    ),
    (
        "receivables rcv-main",
        "supplier",
        "confirmation{at defences{reserved{cap kind until} waived} due face} currency debtor held{cancelled open \
         overdue settled} id registration{at contract disputes grace_days \
         payment_days rulebook shares{cancelled confirmed diluted disputed invoice registered}} state supplier totals{cancelled open overdue settled}",
    ),
    (
        "receivables rcv-main",
        "tax hospital",
        "confirmation{at defences{reserved{cap kind until} waived} due face} currency debtor id registration{at \
         contract disputes grace_days payment_days rulebook shares{cancelled confirmed diluted disputed invoice \
         registered}} state supplier totals{cancelled open overdue settled}",
    ),
    (
        "receivables rcv-main",
        "bank-a factor maker smith",
        "confirmation{at defences{reserved{cap kind until} waived} due face} currency debtor held{cancelled open \
         overdue settled} id invoices{issued number share} state supplier totals{cancelled open overdue settled}",
    ),
    (
        "receivables rcv-main",
        "carrier",
        "confirmation{at defences{reserved{cap kind until} waived} due face} currency debtor id invoices{issued \
         number share} state supplier",
    ),
    (
        "receivables rcv-main claims",
        "tax",
        "claims{address due face holder hops{at by{financing transfer} from recourse to} leg lock{by{financing \
         request transfer} ends} state} currency face payees{cancelled due open overdue payee settled} receivable \
         totals{cancelled open overdue settled}",
    ),
    (
        "receivables rcv-main claims",
        "supplier",
        "claims{address due face holder hops lock{by{financing request transfer} ends} state} currency face \
         passed{address face hops{at by{financing transfer} from recourse to}} receivable totals{cancelled open \
         overdue settled}",
    ),
    (
        "receivables rcv-main claims",
        "maker",
        "claims{address due face holder hops{at by{transfer} from recourse to} state} currency face \
         passed{address face hops{at by{financing transfer} from recourse to}} receivable totals{cancelled open \
         overdue settled}",
    ),
    (
        "receivables rcv-main claims",
        "factor",
        "claims{address due face holder hops{at by{financing} from recourse to} leg state} currency face \
         receivable totals{cancelled open overdue settled}",
    ),
    (
        "receivables rcv-main claims",
        "bank-a",
        "claims{address due face holder hops{at by{financing} from recourse to} state} currency face receivable \
         totals{cancelled open overdue settled}",
    ),
    (
        "receivables rcv-main claims",
        "smith",
        "claims{address due face holder hops{at by{transfer} from recourse to} state} currency face receivable \
         totals{cancelled open overdue settled}",
    ),
    (
        "receivables rcv-main claims",
        "hospital",
        "claims currency face payees{cancelled due open overdue payee settled} receivable totals{cancelled open \
         overdue settled}",
    ),
    (
        "receivables rcv-main claims",
        "carrier",
        "claims currency face passed{address face hops{at by{transfer} from recourse to}} receivable",
    ),
    (
        "receivables rcv-main payoff",
        "tax bank-a hospital supplier maker",
        "currency day payees{account{bank id number} amount payee} receivable",
    ),
    (
        "receivables rcv-main payoff",
        "smith",
        "currency day payees{amount payee} receivable",
    ),
    (
        "receivables rcv-main payoff",
        "factor carrier",
        "currency day payees receivable",
    ),
    (
        "receivables rcv-open",
        "tax hospital supplier",
        "currency debtor id registration{at contract disputes{amount at code invoice text} grace_days \
         payment_days rulebook shares{cancelled confirmed diluted disputed invoice registered}} state supplier",
    ),
    (
        "receivables rcv-open claims",
        "tax hospital supplier",
        "claims currency receivable",
    ),
    (
        "transfers trf-open",
        "tax supplier maker",
        "addresses at basis{contract} currency expires face from id offered{debtor defences{reserved{cap kind \
         until} waived} due receivable} recourse state to",
    ),
    (
        "requests req-live",
        "tax supplier",
        "accept_by addresses at bidding closes currency debtor due face id invited parts{defences{reserved{cap \
         kind until} waived} face recourse} requester revealed_by state suppliers{face supplier}",
    ),
    (
        "requests req-live",
        "bank-a factor",
        "accept_by at bidding closes currency debtor due face id parts{defences{reserved{cap kind until} waived} \
         face recourse} revealed_by state suppliers{face supplier}",
    ),
    (
        "requests req-done",
        "tax supplier",
        "accept_by accepted addresses at bidding closes currency debtor due face id invited requester revealed_by \
         state suppliers{face supplier}",
    ),
    (
        "offers ofr-live-a",
        "tax supplier",
        "at comparison{apr cost days funds on rank} currency id lender request requester state terms{advance_rate \
         day_count disburse_by expires fees{amount bearer payee} interest kind rate recourse}",
    ),
    (
        "offers ofr-live-a",
        "bank-a",
        "at comparison{apr cost days funds on} currency id lender request state terms{advance_rate day_count \
         disburse_by expires fees{amount bearer payee} interest kind rate recourse}",
    ),
    (
        "offers ofr-lost",
        "tax supplier",
        "at comparison{apr cost days funds on rank} currency id lender request requester state terms{advance_rate \
         day_count disburse_by expires fees{amount bearer payee} interest kind rate recourse}",
    ),
    (
        "offers ofr-lost",
        "factor",
        "at comparison{apr cost days funds on} currency id lender request state terms{advance_rate day_count \
         disburse_by expires fees{amount bearer payee} interest kind rate recourse}",
    ),
    (
        "offers ofr-done",
        "tax supplier",
        "at comparison{apr cost days funds on rank} currency financing id lender request requester state \
         terms{advance_rate day_count disburse_by expires fees{amount bearer payee} interest kind rate recourse}",
    ),
    (
        "offers ofr-done",
        "bank-a",
        "at comparison{apr cost days funds on} currency financing id lender request requester state \
         terms{advance_rate day_count disburse_by expires fees{amount bearer payee} interest kind rate recourse}",
    ),
    (
        "offers ofr-sealed-a",
        "tax",
        "at comparison{apr cost days funds on rank} currency id lender request requester state terms{advance_rate \
         day_count disburse_by expires fees{amount bearer payee} interest kind rate recourse}",
    ),
    (
        "offers ofr-sealed-a",
        "bank-a",
        "at comparison{apr cost days funds on} currency id lender request state terms{advance_rate day_count \
         disburse_by expires fees{amount bearer payee} interest kind rate recourse}",
    ),
    (
        "offers ofr-sealed-b",
        "tax",
        "at commitment currency id lender request requester state",
    ),
    (
        "offers ofr-sealed-b",
        "bank-b",
        "at commitment currency id lender request state",
    ),
    (
        "financings fin-wait",
        "tax bank-b",
        "addresses at currency debtor due ends face id leg lender limits offer outstanding pay_to request requester \
         schedule{computed{formula inputs{base daycount days discount face fees from rate to} result rounding} \
         price value_date} state terms{advance_rate day_count disburse_by expires fees interest kind rate \
         recourse}",
    ),
    (
        "financings fin-wait",
        "supplier",
        "addresses at currency debtor due ends face id leg lender offer request requester \
         schedule{computed{formula inputs{base daycount days discount face fees from rate to} result rounding} \
         price value_date} state terms{advance_rate day_count disburse_by expires fees interest kind rate \
         recourse}",
    ),
    (
        "financings fin-done",
        "tax bank-a",
        "addresses at currency debtor due face funding{at computed{formula inputs{base daycount days discount \
         face fees from rate to} result rounding} leg price value_date} id lender limits offer outstanding \
         request requester state terms{advance_rate day_count disburse_by expires fees{amount bearer payee} \
         interest kind rate recourse}",
    ),
    (
        "financings fin-done",
        "supplier",
        "addresses at currency debtor due face funding{at computed{formula inputs{base daycount days discount \
         face fees from rate to} result rounding} leg price value_date} id lender offer request requester state \
         terms{advance_rate day_count disburse_by expires fees{amount bearer payee} interest kind rate recourse}",
    ),
    (
        "limits lim-b",
        "tax bank-b",
        "amount available blocked blocks{amount ends financing} currency debtor id lender utilised valid_to",
    ),
    (
        "accounts acc-smith",
        "tax bank-b smith",
        "attest_by bank currency default id number party state",
    ),
    (
        "legs leg-wait",
        "tax bank-a bank-b supplier",
        "account amount at bank contested currency discharges{financing} end_to_end_id id lapses payee payer \
         purpose state value_date",
    ),
    (
        "legs leg-done",
        "tax bank-a",
        "account amount at attested{at booked by funded made value_date} bank contested currency \
         discharges{financing} end_to_end_id id lapses payee payer purpose reference state value_date",
    ),
    (
        "legs leg-done",
        "supplier",
        "account amount at attested{at booked by funded value_date} bank contested currency discharges{financing} \
         end_to_end_id id lapses payee payer purpose reference state value_date",
    ),
    (
        "legs leg-paid",
        "tax factor hospital",
        "account amount at attested{at booked by made settled{amount receivable} value_date} bank contested \
         currency discharges{receivable} end_to_end_id id lapses payee payer purpose reference state value_date",
    ),
    (
        "legs leg-paid",
        "bank-a",
        "account amount at attested{at booked by settled{amount receivable} value_date} bank contested currency \
         discharges{receivable} end_to_end_id id lapses payee payer purpose reference state value_date",
    ),
    (
        "obligations obl-fee",
        "tax bank-a",
        "amount at cause{financing leg} currency discharged due from id kind outstanding state to",
    ),
    (
        "obligations obl-fee",
        "bank-b",
        "amount at cause currency discharged due from id kind outstanding state to",
    ),
    (
        "obligations obl-refund",
        "tax factor hospital",
        "amount at cause{leg} currency discharged due from id kind outstanding state to",
    ),
];

/// The fields of a value as the table writes them.
fn shape(value: &Value) -> String {
    let mut fields: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    let objects = match value {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    };
    for (name, value) in objects.into_iter().filter_map(Value::as_object).flatten() {
        let values = fields.entry(name).or_default();
        match value {
            Value::Array(items) => values.extend(items),
            one => values.push(one),
        }
    }
    let field = |(name, values): (&&str, &Vec<&Value>)| {
        let below = shape(&Value::Array(values.iter().copied().cloned().collect()));
        if below.is_empty() {
            name.to_string()
        } else {
            format!("{name}{{{below}}}")
        }
    };
    fields.iter().map(field).collect::<Vec<_>>().join(" ")
}

/// The path of what a row reads, such as `receivables rcv-main claims`, and who may read it.
fn target(scene: &Scene, what: &str) -> (String, BTreeSet<&'static str>) {
    let words: Vec<&str> = what.split(' ').collect();
    let [kind, name] = [words[0], words[1]];
    let part = words
        .get(2)
        .map(|part| format!("/{part}"))
        .unwrap_or_default();
    if kind == "parties" {
        return (
            format!("/v1/parties/{}", scene.party(name).id),
            everybody().collect(),
        );
    }
    let row = TABLE.iter().find(|row| row.1 == name).unwrap();
    let readers = everybody().filter(|who| sees(row, who)).collect();
    (format!("/v1/{kind}/{}{part}", scene.id(name)), readers)
}

#[test]
fn each_reader_gets_the_fields_that_concern_it() {
    let scene = Scene::played();
    let readers: BTreeMap<&str, Reader> = everybody()
        .map(|who| (who, Reader::of(&scene, who)))
        .collect();
    let mut left: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (what, who, fields) in FIELDS {
        let (path, all) = target(&scene, what);
        let left = left.entry(what).or_insert(all);
        let fields = fields.split_whitespace().collect::<Vec<_>>().join(" ");
        for who in names(who) {
            assert!(
                left.remove(who),
                "{who} reads {what} in two rows, or not at all"
            );
            let found = shape(&readers[who].get(&path).json());
            if found != fields {
                wrong.push(format!("{who} reads of {what}: {found}"));
            }
        }
    }
    left.retain(|_, readers| !readers.is_empty());
    assert!(
        left.is_empty(),
        "read by somebody whom no row names: {left:?}"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_holder_reads_of_earlier_hops_the_parties_and_the_recourse_class_alone() {
    let scene = Scene::played();
    let hops = |who: &str, what: &str| {
        let path = format!("/v1/receivables/{}/claims", scene.id("rcv-main"));
        Reader::of(&scene, who).get(&path).json()[what][0]["hops"].clone()
    };
    let id = |who: &str| scene.party(who).id.clone();
    let bare = |from: &str, to: &str, recourse: &str| json!({ "from": id(from), "to": id(to), "recourse": recourse });
    let with = |mut hop: Value, kind: &str, what: &str, at: Value| {
        hop["by"] = json!({ kind: scene.id(what) });
        hop["at"] = at;
        hop
    };
    let smith = hops("smith", "claims");
    let own = with(
        bare("carrier", "smith", "chain"),
        "transfer",
        "trf-smith",
        smith[1]["at"].clone(),
    );
    assert_eq!(smith, json!([bare("supplier", "carrier", "last"), own]));
    let factor = hops("factor", "claims");
    let own = with(
        bare("maker", "factor", "none"),
        "financing",
        "fin-sold",
        factor[1]["at"].clone(),
    );
    assert_eq!(factor, json!([bare("supplier", "maker", "none"), own]));
    // A former holder reads on to its own exit, and not whom the fens went to then.
    let carrier = hops("carrier", "passed");
    assert_eq!(carrier.as_array().map(Vec::len), Some(2));
    let supplier = hops("supplier", "passed");
    assert_eq!(supplier.as_array().map(Vec::len), Some(1));
}
