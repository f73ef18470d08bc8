//! As much JSON as the ledger uses, read and written in its one form.

/// A value: there is no null, no fraction and no number below zero.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Bool(bool),
    Number(u64),
    Text(String),
    List(Vec<Json>),
    /// Fields as they stand.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads text that is the one encoding of a value.
    pub(super) fn read(text: &str) -> Result<Json, String> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        let written = value.write();
        if written == text {
            return Ok(value);
        }
        let same = written
            .bytes()
            .zip(text.bytes())
            .take_while(|(a, b)| a == b);
        Err(format!("not canonical from byte {} on", same.count()))
    }

    pub(super) fn write(&self) -> String {
        match self {
            Json::Bool(value) => value.to_string(),
            Json::Number(value) => value.to_string(),
            Json::Text(text) => quote(text),
            Json::List(values) => {
                let values: Vec<String> = values.iter().map(Json::write).collect();
                format!("[{}]", values.join(","))
            }
            Json::Object(fields) => {
                let field =
                    |(name, value): &(String, Json)| format!("{}:{}", quote(name), value.write());
                let fields: Vec<String> = fields.iter().map(field).collect();
                format!("{{{}}}", fields.join(","))
            }
        }
    }

    pub(super) fn text(&self) -> Result<&str, String> {
        match self {
            Json::Text(text) => Ok(text),
            _ => Err("a string is expected".to_owned()),
        }
    }

    pub(super) fn number(&self) -> Result<u64, String> {
        match self {
            Json::Number(number) => Ok(*number),
            _ => Err("a whole number is expected".to_owned()),
        }
    }

    pub(super) fn list(&self) -> Result<&[Json], String> {
        match self {
            Json::List(values) => Ok(values),
            _ => Err("an array is expected".to_owned()),
        }
    }

    /// The values of exactly these fields in this order; a name that ends in `?` may be absent.
    pub(super) fn fields<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<&Json>; N], String> {
        let Json::Object(fields) = self else {
            return Err("an object is expected".to_owned());
        };
        let mut left = fields.iter().peekable();
        let mut found = [None; N];
        for (value, name) in found.iter_mut().zip(names) {
            let plain = name.trim_end_matches('?');
            *value = left
                .next_if(|(field, _)| field == plain)
                .map(|(_, value)| value);
            if value.is_none() && plain == name {
                return Err(format!("field {name} is missing or not in its place"));
            }
        }
        match left.next() {
            None => Ok(found),
            Some((field, _)) => Err(format!("field {field} is unknown or not in its place")),
        }
    }

    /// Every string in it, names of fields too.
    pub(super) fn strings(&self) -> Vec<&str> {
        match self {
            Json::Bool(_) | Json::Number(_) => Vec::new(),
            Json::Text(text) => vec![text],
            Json::List(values) => values.iter().flat_map(Json::strings).collect(),
            Json::Object(fields) => fields
                .iter()
                .flat_map(|(name, value)| [vec![name.as_str()], value.strings()].concat())
                .collect(),
        }
    }
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out + "\""
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn take(&mut self, literal: &str) -> bool {
        let there = self.rest().starts_with(literal);
        if there {
            self.at += literal.len();
        }
        there
    }

    fn wrong<T>(&self) -> Result<T, String> {
        Err(format!("not JSON of the ledger's form at byte {}", self.at))
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > 32 {
            return self.wrong();
        }
        match self.rest().bytes().next() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'0'..=b'9') => {
                let len = self.rest().bytes().take_while(u8::is_ascii_digit).count();
                let Ok(number) = self.rest()[..len].parse() else {
                    return self.wrong();
                };
                self.at += len;
                Ok(Json::Number(number))
            }
            _ if self.take("true") => Ok(Json::Bool(true)),
            _ if self.take("false") => Ok(Json::Bool(false)),
            _ => self.wrong(),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut values = Vec::new();
        if self.take("]") {
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            if self.take("]") {
                return Ok(Json::List(values));
            }
            if !self.take(",") {
                return self.wrong();
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut fields: Vec<(String, Json)> = Vec::new();
        if self.take("}") {
            return Ok(Json::Object(fields));
        }
        loop {
            let name = self.string()?;
            if fields.iter().any(|(field, _)| *field == name) {
                return Err(format!("field {name} stands twice"));
            }
            if !self.take(":") {
                return self.wrong();
            }
            fields.push((name, self.value(depth + 1)?));
            if self.take("}") {
                return Ok(Json::Object(fields));
            }
            if !self.take(",") {
                return self.wrong();
            }
        }
    }

    /// A string. Escapes that are never written need not be understood.
    fn string(&mut self) -> Result<String, String> {
        if !self.take("\"") {
            return self.wrong();
        }
        let mut out = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return self.wrong();
            };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(out);
                }
                '\\' => out.push(self.escape()?),
                '\0'..='\u{1f}' => return self.wrong(),
                _ => {
                    out.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let short = [
            ("\\\"", '"'),
            ("\\\\", '\\'),
            ("\\b", '\u{8}'),
            ("\\t", '\t'),
            ("\\n", '\n'),
            ("\\f", '\u{c}'),
            ("\\r", '\r'),
        ];
        for (escape, c) in short {
            if self.take(escape) {
                return Ok(c);
            }
        }
        let code = self
            .rest()
            .get(..6)
            .and_then(|escape| escape.strip_prefix("\\u"));
        match code
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .and_then(char::from_u32)
        {
            Some(c) => {
                self.at += 6;
                Ok(c)
            }
            None => self.wrong(),
        }
    }
}
