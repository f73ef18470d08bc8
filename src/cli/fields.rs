//! The fields of an operation's body as flags of a verb and columns of a file, from the body's JSON Schema.
//!
//! A nested object is written field by field, `defences.waived`; an entry of a list of objects in one piece,
//! `invoice=inv_…,amount=1000.00`. Whatever is given becomes a JSON body, which the operation's own type then reads.

use serde_json::{Map, Value, json};

use crate::domain::registry::Registered;

/// How one value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// One of these words.
    Word(Vec<String>),
    Whole,
    YesNo,
    /// `field=value,field=value`.
    Pairs(Vec<Field>),
    /// What has no shorter form.
    Json,
}

/// A field of a body that holds one value, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// The names that lead to it, joined by points.
    pub(super) path: String,
    /// Whether no body is without it.
    pub(super) required: bool,
    /// Whether it holds a list.
    pub(super) list: bool,
    pub(super) form: Form,
    /// What it says.
    pub(super) help: String,
    /// How one value is written, where the form alone does not tell.
    pub(super) written: String,
}

/// All that an operation's body may say.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) fields: Vec<Field>,
    /// What every body has, though nothing may be in it.
    objects: Vec<String>,
}

/// What is wrong with one value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// The field's path.
    pub(super) path: String,
    pub(super) what: String,
}

impl Fields {
    /// Those of an operation, in wire order.
    pub(super) fn of(operation: &Registered) -> Fields {
        let schema = (operation.schema)();
        let mut fields = Fields {
            fields: Vec::new(),
            objects: Vec::new(),
        };
        fields.walk(&schema, &schema, "", true);
        fields
    }

    /// Adds the fields of an object.
    fn walk(&mut self, object: &Value, root: &Value, above: &str, required: bool) {
        for (name, property) in properties(object) {
            let path = joined(above, name);
            let required = required && is_required(object, name);
            let schema = resolved(property, root);
            if fields_of(&schema).is_some() && !is_dotted(&schema) {
                if required {
                    self.objects.push(path.clone());
                }
                self.walk(&schema, root, &path, required);
            } else if let Some(choices) = choices(&schema) {
                choices
                    .iter()
                    .for_each(|choice| self.walk(choice, root, &path, false));
            } else {
                self.fields.push(field(path, required, &schema, root));
            }
        }
    }

    /// Fills in what a body cannot be without and has only one form: a word without choice, an object in which
    /// nothing need stand.
    pub(super) fn complete(&self, body: &mut Value) {
        for object in &self.objects {
            if at(body, object).is_none() {
                put(body, object, json!({}));
            }
        }
        for field in self.fields.iter().filter(|field| field.required) {
            if let Form::Word(words) = &field.form
                && let [only] = &words[..]
                && at(body, &field.path).is_none()
            {
                put(body, &field.path, json!(only));
            }
        }
    }

    /// What the body lacks: each place with what would stand there.
    pub(super) fn missing(&self, body: &Value) -> Vec<Misfit> {
        let lacks = |path: String, field: &Field| Misfit {
            path,
            what: field.help.clone(),
        };
        let mut missing = Vec::new();
        for field in &self.fields {
            let found = at(body, &field.path);
            if field.required && found.is_none() {
                missing.push(lacks(field.path.clone(), field));
            }
            let (Form::Pairs(parts), Some(Value::Array(entries))) = (&field.form, found) else {
                continue;
            };
            for (number, entry) in entries
                .iter()
                .enumerate()
                .filter(|(_, one)| one.is_object())
            {
                for part in parts.iter().filter(|part| part.required) {
                    if entry.get(&part.path).is_none() {
                        missing.push(lacks(
                            format!("{}.{number}.{}", field.path, part.path),
                            part,
                        ));
                    }
                }
            }
        }
        missing
    }
}

impl Field {
    /// Reads values as they are typed: several are a list.
    pub(super) fn read<'v>(
        &self,
        given: impl IntoIterator<Item = &'v str>,
    ) -> Result<Value, Misfit> {
        let misfit = |what: String| Misfit {
            path: self.path.clone(),
            what,
        };
        let mut values = Vec::new();
        for text in given {
            if self.list && text.trim_start().starts_with('[') {
                let all: Vec<Value> =
                    serde_json::from_str(text).map_err(|error| misfit(error.to_string()))?;
                values.extend(all);
            } else {
                values.push(self.form.read(text).map_err(misfit)?);
            }
        }
        if self.list {
            return Ok(Value::Array(values));
        }
        values
            .pop()
            .ok_or_else(|| misfit("a value is missing".to_owned()))
    }

    /// A value as it is typed.
    pub(super) fn write(&self, value: &Value) -> Vec<String> {
        match value {
            Value::Array(all) if self.list && all.is_empty() => vec!["[]".to_owned()],
            Value::Array(all) if self.list => all.iter().map(|one| self.form.write(one)).collect(),
            other => vec![self.form.write(other)],
        }
    }
}

impl Form {
    pub(super) fn read(&self, text: &str) -> Result<Value, String> {
        match self {
            Form::Text => Ok(json!(text)),
            Form::Word(words) if words.iter().any(|word| word == text) => Ok(json!(text)),
            Form::Word(words) => Err(format!("{text:?} is none of: {}", words.join(", "))),
            Form::Whole => {
                let number = text.parse::<i64>();
                number
                    .map(|number| json!(number))
                    .map_err(|_| format!("{text:?} is not a whole number such as 30"))
            }
            Form::YesNo => match text {
                "true" => Ok(json!(true)),
                "false" => Ok(json!(false)),
                _ => Err(format!("{text:?} is neither true nor false")),
            },
            Form::Pairs(fields) if !text.trim_start().starts_with('{') => pairs(fields, text),
            Form::Pairs(_) | Form::Json => {
                serde_json::from_str(text).map_err(|error| format!("{text:?} is no JSON: {error}"))
            }
        }
    }

    fn write(&self, value: &Value) -> String {
        match (self, value) {
            (Form::Pairs(fields), Value::Object(all)) => {
                let pair = |field: &Field| {
                    let value = all.get(&field.path)?;
                    Some(format!("{}={}", field.path, field.form.write(value)))
                };
                fields.iter().filter_map(pair).collect::<Vec<_>>().join(",")
            }
            (_, Value::String(text)) => text.clone(),
            (_, other) => other.to_string(),
        }
    }
}

/// Reads `field=value,field=value`. A comma before what is no field belongs to the value.
fn pairs(fields: &[Field], text: &str) -> Result<Value, String> {
    let names = || {
        let names: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
        names.join(", ")
    };
    let mut found: Vec<(&Field, String)> = Vec::new();
    for part in text.split(',') {
        let begun = part.split_once('=').and_then(|(name, value)| {
            let field = fields.iter().find(|field| field.path == name.trim());
            field.map(|field| (field, value))
        });
        match begun {
            Some((field, _)) if found.iter().any(|(one, _)| one.path == field.path) => {
                return Err(format!("{} is given twice in {text:?}", field.path));
            }
            Some((field, value)) => found.push((field, value.to_owned())),
            None => match found.last_mut() {
                Some((_, value)) => *value = format!("{value},{part}"),
                None => {
                    return Err(format!(
                        "{text:?} is not written field=value,field=value with the fields {}",
                        names()
                    ));
                }
            },
        }
    }
    let mut object = Map::new();
    for (field, value) in found {
        let value = field.form.read(value.trim());
        let value = value.map_err(|what| format!("{}: {what}", field.path))?;
        object.insert(field.path.clone(), value);
    }
    Ok(Value::Object(object))
}

fn field(path: String, required: bool, schema: &Value, root: &Value) -> Field {
    let list = schema["type"] == "array";
    let one = if list {
        resolved(&schema["items"], root)
    } else {
        schema.clone()
    };
    let form = form(&one, root);
    let written = match &form {
        Form::Pairs(fields) => {
            let pair = |field: &Field| {
                let may = if field.required { "" } else { "?" };
                format!("{}{may}=…", field.path)
            };
            let pairs: Vec<String> = fields.iter().map(pair).collect();
            pairs.join(",")
        }
        Form::Json => "JSON".to_owned(),
        Form::Text => of_type(&one, schema).to_owned(),
        _ => String::new(),
    };
    let help = schema["description"].as_str().unwrap_or_default();
    Field {
        path,
        required,
        list,
        form,
        help: help.replace('\n', " "),
        written,
    }
}

/// How a text is written, as its type says it.
fn of_type<'s>(one: &'s Value, schema: &Value) -> &'s str {
    let of_type = one["x-written"].as_str().or(one["description"].as_str());
    of_type
        .filter(|said| schema["description"] != **said)
        .unwrap_or_default()
}

fn form(schema: &Value, root: &Value) -> Form {
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().filter_map(Value::as_str);
        return Form::Word(words.map(str::to_owned).collect());
    }
    match schema["type"].as_str() {
        Some("string") => Form::Text,
        Some("integer") => Form::Whole,
        Some("boolean") => Form::YesNo,
        _ => {
            let objects = choices(schema).unwrap_or_else(|| vec![schema.clone()]);
            let one_of_several = objects.len() > 1;
            let mut fields = Vec::new();
            for object in &objects {
                for (name, property) in properties(object) {
                    let required = is_required(object, name) && !one_of_several;
                    let schema = resolved(property, root);
                    fields.push(field(name.clone(), required, &schema, root));
                }
            }
            let flat =
                |field: &Field| !field.list && !matches!(field.form, Form::Pairs(_) | Form::Json);
            if fields.is_empty() || !fields.iter().all(flat) || is_dotted(schema) {
                return Form::Json;
            }
            Form::Pairs(fields)
        }
    }
}

fn properties(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    fields_of(object).into_iter().flatten()
}

fn fields_of(object: &Value) -> Option<&Map<String, Value>> {
    object["properties"].as_object()
}

fn is_required(object: &Value, name: &str) -> bool {
    let required = object["required"].as_array().into_iter().flatten();
    required.filter_map(Value::as_str).any(|one| one == name)
}

/// Whether names of fields hold points, so that a path of them would not be clear.
fn is_dotted(object: &Value) -> bool {
    properties(object).any(|(name, _)| name.contains('.'))
}

/// The objects of which a value is one.
fn choices(schema: &Value) -> Option<Vec<Value>> {
    let choices = schema["oneOf"].as_array()?;
    let objects = choices.iter().all(|choice| choice["type"] == "object");
    objects.then(|| choices.clone())
}

/// A schema with what it refers to; of two descriptions that of the field comes first, and `x-written` keeps the
/// other.
pub(super) fn resolved(schema: &Value, root: &Value) -> Value {
    let Some(reference) = schema["$ref"].as_str() else {
        return schema.clone();
    };
    let target = root.pointer(reference.trim_start_matches('#'));
    let mut target = resolved(target.unwrap_or(&Value::Null), root);
    if let (Value::Object(target), Value::Object(own)) = (&mut target, schema) {
        if let (Some(said), true) = (target.get("description").cloned(), own.len() > 1) {
            target.insert("x-written".to_owned(), said);
        }
        let own = own.iter().filter(|(key, _)| *key != "$ref");
        target.extend(own.map(|(key, value)| (key.clone(), value.clone())));
    }
    target
}

fn joined(above: &str, name: &str) -> String {
    if above.is_empty() {
        name.to_owned()
    } else {
        format!("{above}.{name}")
    }
}

/// The value at a path of names and numbers joined by points.
pub(super) fn at<'b>(body: &'b Value, path: &str) -> Option<&'b Value> {
    path.split('.').try_fold(body, |at, part| match at {
        Value::Array(all) => all.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

/// Puts a value at a path, making what leads to it; a number is a place in a list.
pub(super) fn put(body: &mut Value, path: &str, value: Value) {
    let mut place = body;
    for part in path.split('.') {
        place = match part.parse::<usize>() {
            Ok(number) => {
                if !place.is_array() {
                    *place = json!([]);
                }
                let Value::Array(all) = place else { return };
                while all.len() <= number {
                    all.push(Value::Null);
                }
                &mut all[number]
            }
            Err(_) => {
                if !place.is_object() {
                    *place = json!({});
                }
                &mut place[part]
            }
        };
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::manual::example;
    use crate::domain::registry::{REGISTRY, operation};

    fn fields(name: &str) -> Fields {
        Fields::of(operation(name).unwrap())
    }

    fn field(name: &str, path: &str) -> Field {
        let mut all = fields(name).fields.into_iter();
        all.find(|field| field.path == path).unwrap()
    }

    #[test]
    fn a_body_is_written_field_by_field_and_read_again() {
        for operation in REGISTRY.iter().filter(|one| one.name != "ledger.create") {
            let fields = Fields::of(operation);
            let body: Value = serde_json::from_str(example(operation.name).unwrap()).unwrap();
            let mut read = json!({});
            for field in &fields.fields {
                let Some(value) = at(&body, &field.path) else {
                    continue;
                };
                let written = field.write(value);
                let value = field.read(written.iter().map(String::as_str)).unwrap();
                put(&mut read, &field.path, value);
            }
            fields.complete(&mut read);
            assert_eq!(read, body, "{}", operation.name);
        }
    }

    #[test]
    fn nested_objects_have_a_path_and_entries_of_lists_are_pairs() {
        let fields = fields("receivable.confirm");
        let paths: Vec<&str> = fields.fields.iter().map(|one| one.path.as_str()).collect();
        let expected = [
            "receivable",
            "shares",
            "due",
            "term_reason",
            "defences.waived",
            "defences.reserved",
            "notice",
        ];
        assert_eq!(paths, expected);
        let shares = field("receivable.confirm", "shares");
        let read = shares.read(["invoice=inv_1,amount=5.00", r#"[{"invoice":"inv_2"}]"#]);
        let expected = json!([{"invoice": "inv_1", "amount": "5.00"}, {"invoice": "inv_2"}]);
        assert_eq!(read.unwrap(), expected);
    }

    #[test]
    fn what_has_only_one_form_is_filled_in() {
        let fields = fields("receivable.confirm");
        let mut body = json!({});
        fields.complete(&mut body);
        assert_eq!(body, json!({"defences": {}, "notice": "ledger"}));
        let missing = |body: &Value| -> Vec<String> {
            let missing = fields.missing(body).into_iter();
            missing.map(|one| one.path).collect()
        };
        assert_eq!(missing(&body), ["receivable", "shares", "due"]);
        body["shares"] = json!([{"invoice": "inv_1", "amount": "1.00"}, {"invoice": "inv_2"}]);
        assert_eq!(missing(&body), ["receivable", "shares.1.amount", "due"]);
    }

    #[rstest::rstest]
    #[case::no_field("5.00", "is not written field=value")]
    #[case::twice("amount=1.00,amount=2.00", "amount is given twice")]
    fn pairs_that_are_none_are_refused(#[case] text: &str, #[case] said: &str) {
        let disputes = field("receivable.dispute", "disputes");
        let misfit = disputes.read([text]).unwrap_err();
        assert!(misfit.what.contains(said), "{}", misfit.what);
    }

    #[test]
    fn a_comma_within_a_value_stays_in_it() {
        let disputes = field("receivable.dispute", "disputes");
        let text = "invoice=inv_1,amount=5.00,code=quality,text=two pumps, both leak";
        let read = disputes.read([text]).unwrap();
        assert_eq!(read[0]["text"], "two pumps, both leak");
    }
}
